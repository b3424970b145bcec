/* libxsmm: kernels made for one size. Its matrices are column-major, so C = A·B is Cᵀ = Bᵀ·Aᵀ. */
#include <stdio.h>

#include <libxsmm.h>

#include "rival.h"

#define XSMM_ROWS 64  /* of A and C in one call: the block is finished while it is near */
#define XSMM_INNER 256 /* rows of A and B in one call of a product with Aᵀ */

struct xsmm {
	libxsmm_smmfunction block, rest; /* for whole blocks and for what remains, NULL if nothing does */
	libxsmm_smmfunction add;         /* adds to C */
	float *transposed;               /* B, if it comes transposed */
};

/* rows×n += or = rows×k · k×n */
static libxsmm_smmfunction xsmm_kernel(long rows, long k, long n, int ta, float beta)
{
	float one = 1;
	libxsmm_blasint lda = n, ldb = ta ? rows : k, ldc = n;
	int flags = ta ? LIBXSMM_GEMM_FLAG_TRANS_B : 0;
	return libxsmm_smmdispatch(n, rows, k, &lda, &ldb, &ldc, &one, &beta, &flags, NULL);
}

static void xsmm_run(struct product *p)
{
	struct xsmm *x = p->own;
	const float *b = p->b;
	if (x->transposed) {
		libxsmm_otrans(x->transposed, b, sizeof(float), p->k, p->n, p->k, p->n);
		b = x->transposed;
	}
	for (long i = 0; i < p->m; i += XSMM_ROWS) {
		long rows = p->m - i < XSMM_ROWS ? p->m - i : XSMM_ROWS;
		(rows == XSMM_ROWS ? x->block : x->rest)(b, p->a + i * p->k, p->c + i * p->n);
		bias_relu(p->c + i * p->n, p->bias, rows, p->n, p->relu);
	}
}

static void xsmm_ta(struct product *p)
{
	struct xsmm *x = p->own;
	for (long k = 0; k < p->k; k += XSMM_INNER)
		(k ? x->add : x->block)(p->b + k * p->n, p->a + k * p->m, p->c);
}

static int xsmm_prepare(struct product *p)
{
	struct xsmm *x = p->own = zeros(sizeof *x);
	if (p->k * p->n > 512 * 512) /* its kernels are for small matrices */
		return 0;
	if (p->ta) {
		if (p->k % XSMM_INNER || p->m * p->n > 256 * 256)
			return 0;
		x->block = xsmm_kernel(p->m, XSMM_INNER, p->n, 1, 0);
		x->add = xsmm_kernel(p->m, XSMM_INNER, p->n, 1, 1);
		p->run = xsmm_ta;
		return x->block && x->add;
	}
	if (p->tb)
		x->transposed = floats(p->k * p->n);
	long rest = p->m % XSMM_ROWS;
	if (p->m >= XSMM_ROWS && !(x->block = xsmm_kernel(XSMM_ROWS, p->k, p->n, 0, 0)))
		return 0;
	if (rest && !(x->rest = xsmm_kernel(rest, p->k, p->n, 0, 0)))
		return 0;
	p->run = xsmm_run;
	return 1;
}

static const char *xsmm_about(void)
{
	static char text[96];
	snprintf(text, sizeof text, "libxsmm %s, %s", LIBXSMM_VERSION, libxsmm_get_target_arch());
	return text;
}

const struct rival libxsmm = {"libxsmm", xsmm_prepare, xsmm_about};
