/* oneDNN 2: its matmul with bias and ReLU inside, constant weights in the order it likes. */
#include <stdio.h>

#include <dnnl.h>

#include "rival.h"

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

const struct rival onednn = {"onednn", onednn_prepare, onednn_about};
