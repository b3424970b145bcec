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
 * through all layers together; HAVE_OPENBLAS, HAVE_ONEDNN and HAVE_LIBXSMM say which of the
 * libraries' files are compiled in.
 * Not to be compiled as if NaN could not be: a result of NaN must not pass for a right one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rival.h"

static const struct rival *const rivals[] = {
	&loops,
#ifdef HAVE_OPENBLAS
	&openblas,
#endif
#ifdef HAVE_ONEDNN
	&onednn,
#endif
#ifdef HAVE_LIBXSMM
	&libxsmm,
#endif
};

#define PROBLEMS 256

static struct problem problems[PROBLEMS];
static int opened;

static const struct rival *find(const char *peer)
{
	for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++)
		if (!strcmp(rivals[i]->name, peer))
			return rivals[i];
	return NULL;
}

static void open_peer(const char *peer, const char *op, long m, long k, long n, int threads)
{
	const struct rival *rival = find(peer);
	struct problem *q = &problems[opened];
	const char *reason = NULL;
	double e = 0;
	if (!rival)
		reason = "unknown peer";
	else if (opened == PROBLEMS)
		reason = "more than 256 problems";
	else if (threads != 1)
		reason = "unsupported";
	else
		reason = open_problem(q, rival, op, m, k, n);
	if (!reason) {
		call(q);
		e = check(q);
	}
	if (reason)
		printf("no %s\n", reason);
	else if (!(e < 1e-3))
		printf("no wrong result err=%g\n", e);
	else
		printf("ok %d %g\n", ++opened, e);
}

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
				printf("%s%s", i ? " " : "", rivals[i]->name);
			puts("");
		} else if (sscanf(line, "about %63s", peer) == 1 && find(peer))
			puts(find(peer)->about());
		else if (sscanf(line, "open %63s %95s %ld %ld %ld %d", peer, op, &m, &k, &n, &threads) == 6)
			open_peer(peer, op, m, k, n, threads);
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
