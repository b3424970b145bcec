/* Plain loops: what a C programmer writes, and the compiler makes vectors of. */
#include <string.h>

#include "rival.h"

/* Four rows of W at a time, so that a row of Y is loaded and stored less often. */
static void loops_layer(struct product *p)
{
	long m = p->m, kk = p->k, n = p->n;
	const float *restrict w = p->b, *restrict bias = p->bias;
	for (long i = 0; i < m; i++) {
		const float *restrict x = p->a + i * kk;
		float *restrict y = p->c + i * n;
		long k = 0;
		for (long j = 0; j < n; j++)
			y[j] = bias ? bias[j] : 0;
		for (; k + 4 <= kk; k += 4) {
			const float *restrict r = w + k * n;
			float x0 = x[k], x1 = x[k + 1], x2 = x[k + 2], x3 = x[k + 3];
			for (long j = 0; j < n; j++)
				y[j] += x0 * r[j] + x1 * r[n + j] + x2 * r[2 * n + j] + x3 * r[3 * n + j];
		}
		for (; k < kk; k++)
			for (long j = 0; j < n; j++)
				y[j] += x[k] * w[k * n + j];
		if (p->relu)
			for (long j = 0; j < n; j++)
				y[j] = y[j] > 0 ? y[j] : 0;
	}
}

/* One output: a sum of products for each row. */
static void loops_dot(struct product *p)
{
	long m = p->m, kk = p->k;
	const float *restrict w = p->b;
	for (long i = 0; i < m; i++) {
		const float *restrict x = p->a + i * kk;
		float s = 0;
		for (long k = 0; k < kk; k++)
			s += x[k] * w[k];
		s += p->bias ? p->bias[0] : 0;
		p->c[i] = p->relu && s < 0 ? 0 : s;
	}
}

/* C = Aᵀ·B, four rows of both at a time. */
static void loops_ta(struct product *p)
{
	long m = p->m, kk = p->k, n = p->n, k = 0;
	memset(p->c, 0, sizeof(float) * (size_t)(m * n));
	for (; k + 4 <= kk; k += 4) {
		const float *restrict b = p->b + k * n;
		for (long i = 0; i < m; i++) {
			const float *restrict a = p->a + k * m + i;
			float *restrict c = p->c + i * n;
			float a0 = a[0], a1 = a[m], a2 = a[2 * m], a3 = a[3 * m];
			for (long j = 0; j < n; j++)
				c[j] += a0 * b[j] + a1 * b[n + j] + a2 * b[2 * n + j] + a3 * b[3 * n + j];
		}
	}
	for (; k < kk; k++)
		for (long i = 0; i < m; i++)
			for (long j = 0; j < n; j++)
				p->c[i * n + j] += p->a[k * m + i] * p->b[k * n + j];
}

/* C = A·Bᵀ: dot products of rows. */
static void loops_tb(struct product *p)
{
	long m = p->m, kk = p->k, n = p->n;
	for (long i = 0; i < m; i++)
		for (long j = 0; j < n; j++) {
			const float *restrict a = p->a + i * kk, *restrict b = p->b + j * kk;
			float s = 0;
			for (long k = 0; k < kk; k++)
				s += a[k] * b[k];
			p->c[i * n + j] = s;
		}
}

static int loops_prepare(struct product *p)
{
	p->run = p->ta ? loops_ta : p->tb ? loops_tb : p->n == 1 ? loops_dot : loops_layer;
	return 1;
}

static const char *loops_about(void) { return __VERSION__; }

const struct rival loops = {LOOPS, loops_prepare, loops_about};
