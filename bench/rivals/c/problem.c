/* Problems: their data, the same for every peer, how they are run, and the check of the results. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rival.h"

/* All memory of the problems, until they are closed. */
static void **blocks;
static long held;

void *zeros(size_t bytes)
{
	bytes = (bytes + 127) / 64 * 64;
	void *p = aligned_alloc(64, bytes);
	blocks = realloc(blocks, sizeof *blocks * (size_t)(held + 1));
	if (!p || !blocks) {
		fprintf(stderr, "rival: no memory for %zu bytes\n", bytes);
		exit(1);
	}
	return blocks[held++] = memset(p, 0, bytes);
}

void forget(void)
{
	while (held > 0)
		free(blocks[--held]);
}

/* The data every peer computes with: uniform in [-scale, scale). */
static float *filled(long n, uint32_t seed, float scale)
{
	float *x = floats(n);
	uint32_t s = seed * 2654435761u + 1;
	for (long i = 0; i < n; i++) {
		s = s * 1664525u + 1013904223u;
		x[i] = (float)((int32_t)(s >> 8) - (1 << 23)) * (scale / (1 << 23));
	}
	return x;
}

void call(struct problem *q)
{
	for (long i = 0; i < q->m; i += q->chunk) {
		q->p[0].a = q->x + i * q->p[0].k;
		q->p[q->layers - 1].c = q->y + i * q->p[q->layers - 1].n;
		for (int l = 0; l < q->layers; l++)
			q->p[l].run(&q->p[l]);
	}
}

/* Opens one product. m, k, n are those of the layer it belongs to. */
static void open_product(struct problem *q, const char *op, long m, long k, long n)
{
	struct product *p = q->p;
	q->layers = 1;
	if (!strcmp(op, "dw"))
		*p = (struct product){.m = k, .k = m, .n = n, .ta = 1, .a = filled(m * k, 1, 1), .b = filled(m * n, 4, 1)};
	else if (!strcmp(op, "dx"))
		*p = (struct product){.m = m, .k = n, .n = k, .tb = 1, .a = filled(m * n, 4, 1), .b = filled(k * n, 2, 1)};
	else
		*p = (struct product){.m = m, .k = k, .n = n, .constant = 1, .relu = 1,
			.a = filled(m * k, 1, 1), .b = filled(k * n, 2, 1), .bias = filled(n, 3, 1)};
	p->c = floats(p->m * p->n);
	q->m = q->chunk = p->m;
	q->x = p->a;
	q->y = p->c;
}

/* Opens a network of widths such as 2-64-1. Returns 0 if there are too many, or too few. */
static int open_network(struct problem *q, const char *widths, long m)
{
	char *end;
	long k = strtol(widths, &end, 10);
	q->m = m;
	q->chunk = m < CHUNK ? m : CHUNK;
	if (k < 1 || m % q->chunk)
		return 0;
	q->x = filled(m * k, 5, 1);
	for (; *end == '-' && q->layers < LAYERS; q->layers++) {
		long n = strtol(end + 1, &end, 10);
		if (n < 1)
			return 0;
		int l = q->layers;
		q->p[l] = (struct product){.m = q->chunk, .k = k, .n = n, .constant = 1, .relu = *end == '-',
			.a = l ? q->p[l - 1].c : q->x, .b = filled(k * n, 10 + l, sqrtf(6.0f / k)), .bias = filled(n, 20 + l, 0.1f)};
		k = n;
		q->p[l].c = *end == '-' ? floats(q->chunk * n) : (q->y = floats(m * n));
	}
	return q->layers > 0 && !*end;
}

/* Returns the error of sampled elements of a product, relative to √k. */
static double check_product(const struct product *p)
{
	uint32_t s = 7;
	double worst = 0;
	for (int t = 0; t < 64; t++) {
		long i = ((s = s * 1664525u + 1013904223u) >> 5) % p->m, j = ((s = s * 1664525u + 1013904223u) >> 5) % p->n;
		double sum = p->bias ? p->bias[j] : 0;
		for (long k = 0; k < p->k; k++)
			sum += (double)p->a[p->ta ? k * p->m + i : i * p->k + k] * p->b[p->tb ? j * p->k + k : k * p->n + j];
		if (p->relu && sum < 0)
			sum = 0;
		double e = fabs(sum - p->c[i * p->n + j]) / sqrt((double)p->k);
		if (!(e <= worst))
			worst = e;
	}
	return worst;
}

/* Returns the error of sampled rows of a network. */
static double check_network(const struct problem *q)
{
	double worst = 0;
	for (long r = 0; r < q->m; r += 1 + q->m / 8) {
		double *h = zeros(sizeof(double) * q->p[0].k);
		for (long k = 0; k < q->p[0].k; k++)
			h[k] = q->x[r * q->p[0].k + k];
		for (int l = 0; l < q->layers; l++) {
			const struct product *p = &q->p[l];
			double *g = zeros(sizeof(double) * p->n);
			for (long j = 0; j < p->n; j++) {
				g[j] = p->bias[j];
				for (long k = 0; k < p->k; k++)
					g[j] += h[k] * p->b[k * p->n + j];
				if (p->relu && g[j] < 0)
					g[j] = 0;
			}
			h = g;
		}
		long n = q->p[q->layers - 1].n;
		for (long j = 0; j < n; j++) {
			double e = fabs(h[j] - q->y[r * n + j]) / (1 + fabs(h[j]));
			if (!(e <= worst))
				worst = e;
		}
	}
	return worst;
}

/* Returns the error of what the latest call left, by samples. */
double check(const struct problem *q)
{
	return q->network ? check_network(q) : check_product(q->p);
}

const char *open_problem(struct problem *q, const struct rival *rival, const char *op, long m, long k, long n)
{
	static const char unsupported[] = "unsupported";
	*q = (struct problem){.network = !strncmp(op, "mlp:", 4)};
	if (m < 1)
		return unsupported;
	if (q->network) {
		if (!open_network(q, op + 4, m))
			return unsupported;
	} else {
		if (k < 1 || n < 1 || (strcmp(op, "gemmbr") && strcmp(op, "dw") && strcmp(op, "dx")))
			return unsupported;
		open_product(q, op, m, k, n);
	}
	for (int l = 0; l < q->layers; l++)
		if (!rival->prepare(&q->p[l]))
			return unsupported;
	return NULL;
}
