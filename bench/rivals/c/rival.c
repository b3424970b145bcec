/*
 * Libraries in C, and plain loops, as rivals of package kernel. Answers the line protocol
 * of bench/peer on standard input and output:
 *
 *   peers                          the names of those compiled in
 *   about PEER                     which version it is
 *   open PEER OP M K N THREADS     ok ID ERROR, or no REASON
 *   run ID MS                      mean ns of a call over about MS milliseconds
 *   lat ID COUNT                   p50 p99 p99.9 in ns of single calls
 *   close                          forgets all problems
 *   quit
 *
 * OP is gemmbr (Y = relu(X·W + b); W and b are constant, so they may be brought into any
 * form beforehand), dw (W = Xᵀ·Y), dx (X = Y·Wᵀ), or mlp:DIMS (layers with ReLU between
 * them; M rows, in chunks of CHUNK). Matrices are row-major float32. Results are checked
 * against sums in float64 before ok is said. One thread.
 *
 * LOOPS names the peer of the plain loops, CHUNK is the number of rows of a network that go
 * through all layers together; HAVE_OPENBLAS, HAVE_ONEDNN and HAVE_LIBXSMM add the libraries.
 * Not to be compiled as if NaN could not be: a result of NaN must not pass for a right one.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

struct rival {
	const char *name;
	int (*prepare)(struct product *); /* returns 0 if it cannot */
	const char *(*about)(void);
};

/* All memory of the problems, until they are closed. */
static void **blocks;
static long held;

static void *zeros(size_t bytes)
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

static void forget(void)
{
	while (held > 0)
		free(blocks[--held]);
}

static float *floats(long n) { return zeros((size_t)n * sizeof(float)); }

/* ---- plain loops: what a C programmer writes, and the compiler makes vectors of ---- */

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

#if defined HAVE_OPENBLAS || defined HAVE_LIBXSMM
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
#endif

/* ---- OpenBLAS ---- */
#ifdef HAVE_OPENBLAS
#include <cblas.h>

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
#endif

/* ---- oneDNN 2: its matmul with bias and ReLU inside, constant weights in the order it likes ---- */
#ifdef HAVE_ONEDNN
#include <dnnl.h>

struct onednn {
	dnnl_primitive_t matmul;
	dnnl_memory_t src, dst;
	dnnl_exec_arg_t args[4];
	int count;
	const float *a; /* what src and dst hold now */
	float *c;
};

static dnnl_engine_t onednn_engine;
static dnnl_stream_t onednn_stream;

static int onednn_matrix(dnnl_memory_desc_t *d, long rows, long cols, int transposed)
{
	dnnl_dims_t dims = {rows, cols}, strides = {transposed ? 1 : cols, transposed ? rows : 1};
	return dnnl_memory_desc_init_by_strides(d, 2, dims, dnnl_f32, strides) == dnnl_success;
}

static dnnl_memory_t onednn_memory(const dnnl_memory_desc_t *d, const void *data)
{
	dnnl_memory_t mem = NULL;
	dnnl_memory_create(&mem, d, onednn_engine, (void *)data);
	return mem;
}

/* Returns the weights in the order of d. */
static dnnl_memory_t onednn_reorder(dnnl_memory_t from, const dnnl_memory_desc_t *plain, const dnnl_memory_desc_t *d)
{
	dnnl_primitive_desc_t pd;
	dnnl_primitive_t reorder;
	dnnl_memory_t to = onednn_memory(d, DNNL_MEMORY_ALLOCATE);
	if (dnnl_reorder_primitive_desc_create(&pd, plain, onednn_engine, d, onednn_engine, NULL) != dnnl_success)
		return NULL;
	dnnl_primitive_create(&reorder, pd);
	dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
	dnnl_primitive_execute(reorder, onednn_stream, 2, args);
	dnnl_stream_wait(onednn_stream);
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(pd);
	return to;
}

static void onednn_run(struct product *p)
{
	struct onednn *o = p->own;
	if (p->a != o->a)
		dnnl_memory_set_data_handle(o->src, (void *)(o->a = p->a));
	if (p->c != o->c)
		dnnl_memory_set_data_handle(o->dst, o->c = p->c);
	dnnl_primitive_execute(o->matmul, onednn_stream, o->count, o->args);
	dnnl_stream_wait(onednn_stream);
}

static int onednn_prepare(struct product *p)
{
	dnnl_memory_desc_t a, b, any, bias, c;
	dnnl_matmul_desc_t d;
	dnnl_primitive_desc_t pd;
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t ops;
	dnnl_dims_t bdims = {p->k, p->n};
	struct onednn *o = p->own = zeros(sizeof *o);

	if (!onednn_engine && (dnnl_engine_create(&onednn_engine, dnnl_cpu, 0) != dnnl_success ||
		dnnl_stream_create(&onednn_stream, onednn_engine, dnnl_stream_default_flags) != dnnl_success))
		return 0;
	if (!onednn_matrix(&a, p->m, p->k, p->ta) || !onednn_matrix(&b, p->k, p->n, p->tb) ||
		!onednn_matrix(&bias, 1, p->n, 0) || !onednn_matrix(&c, p->m, p->n, 0) ||
		dnnl_memory_desc_init_by_tag(&any, 2, bdims, dnnl_f32, dnnl_format_tag_any) != dnnl_success)
		return 0;
	dnnl_primitive_attr_create(&attr);
	dnnl_post_ops_create(&ops);
	if (p->relu)
		dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
	dnnl_primitive_attr_set_post_ops(attr, ops);
	if (dnnl_matmul_desc_init(&d, &a, p->constant ? &any : &b, p->bias ? &bias : NULL, &c) != dnnl_success ||
		dnnl_primitive_desc_create(&pd, &d, attr, onednn_engine, NULL) != dnnl_success ||
		dnnl_primitive_create(&o->matmul, pd) != dnnl_success)
		return 0;
	const dnnl_memory_desc_t *best = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
	dnnl_memory_t weights = onednn_memory(&b, p->b);
	if (!dnnl_memory_desc_equal(&b, best))
		weights = onednn_reorder(weights, &b, best);
	o->src = onednn_memory(&a, o->a = p->a);
	o->dst = onednn_memory(&c, o->c = p->c);
	o->args[o->count++] = (dnnl_exec_arg_t){DNNL_ARG_SRC, o->src};
	o->args[o->count++] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, weights};
	o->args[o->count++] = (dnnl_exec_arg_t){DNNL_ARG_DST, o->dst};
	if (p->bias)
		o->args[o->count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, onednn_memory(&bias, p->bias)};
	p->run = onednn_run;
	return weights && o->src && o->dst;
}

static const char *onednn_about(void)
{
	static char text[64];
	const dnnl_version_t *v = dnnl_version();
	snprintf(text, sizeof text, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
	return text;
}
#endif

/* ---- libxsmm: kernels made for one size; its matrices are column-major, so C = A·B is Cᵀ = Bᵀ·Aᵀ ---- */
#ifdef HAVE_LIBXSMM
#include <libxsmm.h>

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
#endif

static const struct rival rivals[] = {
	{LOOPS, loops_prepare, loops_about},
#ifdef HAVE_OPENBLAS
	{"openblas", openblas_prepare, openblas_about},
#endif
#ifdef HAVE_ONEDNN
	{"onednn", onednn_prepare, onednn_about},
#endif
#ifdef HAVE_LIBXSMM
	{"libxsmm", xsmm_prepare, xsmm_about},
#endif
};

/* ---- problems ---- */

#define LAYERS 8
#define PROBLEMS 256

struct problem {
	long m;                       /* rows */
	int layers;                   /* 1 but for a network */
	struct product p[LAYERS];     /* of one chunk */
	const float *x;               /* all rows */
	float *y;
	long chunk;
};

static struct problem problems[PROBLEMS];
static int opened;

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

static void call(struct problem *q)
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

static const struct rival *find(const char *peer)
{
	for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++)
		if (!strcmp(rivals[i].name, peer))
			return &rivals[i];
	return NULL;
}

static void open_problem(const char *peer, const char *op, long m, long k, long n, int threads)
{
	const struct rival *rival = find(peer);
	if (!rival || opened == PROBLEMS) {
		puts(rival ? "no more than 256 problems" : "no unknown peer");
		return;
	}
	struct problem *q = &problems[opened];
	memset(q, 0, sizeof *q);
	int network = !strncmp(op, "mlp:", 4);
	int known = network || !strcmp(op, "gemmbr") || !strcmp(op, "dw") || !strcmp(op, "dx");
	if (!known || threads != 1 || m < 1 || (!network && (k < 1 || n < 1)) || (network && !open_network(q, op + 4, m))) {
		puts("no unsupported");
		return;
	}
	if (!network)
		open_product(q, op, m, k, n);
	for (int l = 0; l < q->layers; l++)
		if (!rival->prepare(&q->p[l])) {
			puts("no unsupported");
			return;
		}
	call(q);
	double e = network ? check_network(q) : check_product(q->p);
	if (!(e < 1e-3))
		printf("no wrong result err=%g\n", e);
	else
		printf("ok %d %g\n", ++opened, e);
}

/* ---- timing ---- */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double spent(struct problem *q, long calls)
{
	double start = now();
	for (long i = 0; i < calls; i++)
		call(q);
	return now() - start;
}

/* Returns the mean ns of a call over about ns. */
static double mean(struct problem *q, double ns)
{
	call(q); /* brings the data near */
	long calls = 1;
	double t = spent(q, calls);
	while (t < ns / 8) {
		double more = calls * ns / 8 / fmax(t, 1);
		calls = more > 2 * calls ? (long)more : 2 * calls;
		t = spent(q, calls);
	}
	if (t < ns) {
		calls = (long)fmax(1, calls * ns / t);
		t = spent(q, calls);
	}
	return t / calls;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Prints quantiles of single calls, without the time of the clock. */
static void latencies(struct problem *q, long count)
{
	double empty = 1e9, *v = malloc(sizeof *v * (size_t)count);
	if (!v) {
		puts("no memory");
		return;
	}
	spent(q, 2000);
	for (int i = 0; i < 1000; i++)
		empty = fmin(empty, spent(q, 0));
	for (long i = 0; i < count; i++)
		v[i] = spent(q, 1) - empty;
	qsort(v, count, sizeof *v, ascending);
	printf("%.0f %.0f %.0f\n", v[count / 2], v[count * 99 / 100], v[count * 999 / 1000]);
	free(v);
}

int main(void)
{
	char line[512], cmd[16], peer[64], op[96];
	long m, k, n;
	int id, threads;
	double x;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "%15s", cmd) != 1)
			continue;
		if (!strcmp(cmd, "quit"))
			return 0;
		if (!strcmp(cmd, "peers")) {
			for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++)
				printf("%s%s", i ? " " : "", rivals[i].name);
			puts("");
		} else if (sscanf(line, "about %63s", peer) == 1 && find(peer))
			puts(find(peer)->about());
		else if (sscanf(line, "open %63s %95s %ld %ld %ld %d", peer, op, &m, &k, &n, &threads) == 6)
			open_problem(peer, op, m, k, n, threads);
		else if (sscanf(line, "run %d %lf", &id, &x) == 2 && id >= 1 && id <= opened && x > 0)
			printf("%.2f\n", mean(&problems[id - 1], x * 1e6));
		else if (sscanf(line, "lat %d %lf", &id, &x) == 2 && id >= 1 && id <= opened && x >= 1)
			latencies(&problems[id - 1], (long)x);
		else if (!strcmp(cmd, "close")) {
			forget(); /* what libraries hold is small and goes with the process */
			opened = 0;
			puts("ok");
		} else
			puts("no bad command");
		fflush(stdout);
	}
	return 0;
}
