/* What the rivals share: products, their memory, problems made of them. */
#ifndef RIVAL_H
#define RIVAL_H

#include <stddef.h>

/* A product is C = act(op(A)·op(B) + bias), C m×n, the inner dimension k. prepare chooses
 * run and may leave in own what run needs. a and c may change from call to call. */
struct product {
	long m, k, n;
	int ta, tb;           /* A is k×m, B is n×k */
	int constant;         /* B may be brought into another form beforehand */
	int relu;
	const float *a, *b, *bias; /* bias may be NULL */
	float *c;
	void (*run)(struct product *);
	void *own;
};

/* A rival brings a product into the form it likes, or returns 0 if it cannot. */
struct rival {
	const char *name;
	int (*prepare)(struct product *);
	const char *(*about)(void); /* its version */
};

extern const struct rival loops, openblas, onednn, libxsmm;

/* Memory of 64-byte lines that belongs to the problems; forget frees all of it. */
void *zeros(size_t bytes);
static inline float *floats(long n) { return zeros((size_t)n * sizeof(float)); }
void forget(void);

/* The pass after a library's product. */
static inline void bias_relu(float *restrict c, const float *restrict bias, long m, long n, int relu)
{
	if (!bias)
		return;
	for (long i = 0; i < m; i++)
		for (long j = 0; j < n; j++) {
			float v = c[i * n + j] + bias[j];
			c[i * n + j] = relu && v < 0 ? 0 : v;
		}
}

#define LAYERS 8

struct problem {
	long m;                       /* rows */
	int network;                  /* rather than one product */
	int layers;
	struct product p[LAYERS];     /* of one chunk */
	const float *x;               /* all rows */
	float *y;
	long chunk;
};

/* Opens OP M K N for a rival and returns why it cannot, or NULL. */
const char *open_problem(struct problem *, const struct rival *, const char *op, long m, long k, long n);
void call(struct problem *);
double check(const struct problem *); /* the error of the latest call, by samples in float64 */

#endif
