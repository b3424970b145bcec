/* OpenBLAS, with a pass for bias and ReLU. */
#include <cblas.h>

#include "rival.h"

static void openblas_run(struct product *p)
{
	if (p->m == 1 && !p->ta)
		cblas_sgemv(CblasRowMajor, p->tb ? CblasNoTrans : CblasTrans, p->tb ? p->n : p->k, p->tb ? p->k : p->n,
			1, p->b, p->tb ? p->k : p->n, p->a, 1, 0, p->c, 1);
	else
		cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
			p->m, p->n, p->k, 1, p->a, p->ta ? p->m : p->k, p->b, p->tb ? p->k : p->n, 0, p->c, p->n);
	bias_relu(p->c, p->bias, p->m, p->n, p->relu);
}

/* One output of many rows is a product of a matrix and a vector. */
static void openblas_column(struct product *p)
{
	cblas_sgemv(CblasRowMajor, CblasNoTrans, p->m, p->k, 1, p->a, p->k, p->b, 1, 0, p->c, 1);
	bias_relu(p->c, p->bias, p->m, 1, p->relu);
}

static int openblas_prepare(struct product *p)
{
	p->run = p->n == 1 && !p->ta ? openblas_column : openblas_run;
	return 1;
}

static const char *openblas_about(void) { return openblas_get_config(); }

const struct rival openblas = {"openblas", openblas_prepare, openblas_about};
