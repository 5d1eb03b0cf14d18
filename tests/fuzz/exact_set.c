/*
 * exact_set.c - a set of completions; see exact.c.
 */
#include "exact.h"

#include <errno.h>
#include <poll.h>

enum { MOST_MEMBERS = 64, MOST_TOLD = 4096 };

/*
 * By place: whether the member's callbacks have run.  They come after the set was
 * told; until then it may not know what soon_future_done() does.
 */
static atomic_bool told[MOST_TOLD];

/* What is in the set, and since when it has been done there. */
struct member {
	struct mfuture *f;
	unsigned moment, place;
};

static struct {
	soon_completions *real; /* NULL: there is none */
	struct member member[MOST_MEMBERS];
	unsigned n;
	unsigned places;
	struct mfuture *lent;
} set;

static void give_back(void)
{
	if (set.lent != NULL)
		model_unref(set.lent);
	set.lent = NULL;
}

static atomic_bool *told_of(unsigned place)
{
	return &told[place % MOST_TOLD];
}

static void tell(soon_future *f, void *arg)
{
	(void)f;
	atomic_store((atomic_bool *)arg, true);
}

static void add(struct mfuture *f)
{
	for (unsigned i = 0; i < set.n; i++)
		if (set.member[i].f == f)
			return;
	f->refs++;
	set.member[set.n++] = (struct member){ f, model_moment, ++set.places };
	atomic_store(told_of(set.places), false);
	CLAIM(soon_future_on_done(f->real, tell, told_of(set.places)) == 0);
}

bool exact_set_agrees(void)
{
	for (unsigned i = 0; i < set.n; i++)
		if (model_done(set.member[i].f) &&
		    !atomic_load(told_of(set.member[i].place)))
			return false;
	return true;
}

static unsigned moment_of(const struct member *m)
{
	return m->f->moment > m->moment ? m->f->moment : m->moment;
}

/* a goes before b, if both are done; neither, where it is not said. */
static bool before(const struct member *a, const struct member *b)
{
	if (moment_of(a) != moment_of(b))
		return moment_of(a) < moment_of(b);
	return a->f->moment < a->moment && b->f->moment < b->moment &&
	       a->place < b->place;
}

static bool may_be_next(const struct member *m)
{
	if (!model_done(m->f))
		return false;
	for (unsigned i = 0; i < set.n; i++)
		if (model_done(set.member[i].f) && before(&set.member[i], m))
			return false;
	return true;
}

static bool any_done(void)
{
	for (unsigned i = 0; i < set.n; i++)
		if (model_done(set.member[i].f))
			return true;
	return false;
}

void exact_set_free(void)
{
	soon_completions_free(set.real);
	set.real = NULL;
	give_back();
	while (set.n > 0)
		model_unref(set.member[--set.n].f);
}

void exact_set_new(void)
{
	struct mfuture *f[MOST_INPUTS];
	soon_future *real[MOST_INPUTS];
	unsigned n = exact_some(f, real, MOST_INPUTS);

	if (set.real == NULL) {
		set.real = soon_as_completed(real, n);
		CLAIM(set.real != NULL);
		for (unsigned i = 0; i < n; i++)
			add(f[i]);
	} else if (n > 0 && set.n < MOST_MEMBERS) {
		CLAIM(soon_completions_add(set.real, real[0]) == 0);
		add(f[0]);
	}
}

static void look(bool ready)
{
	struct pollfd p = { .fd = soon_completions_fd(set.real),
			    .events = POLLIN };

	CLAIM(p.fd >= 0 && soon_completions_fd(set.real) == p.fd);
	CLAIM(poll(&p, 1, 0) == ready);
}

/* The one that came is one of those that may come now. */
static void came(soon_future *real)
{
	unsigned i = 0;

	while (i < set.n && set.member[i].f->real != real)
		i++;
	CLAIM(i < set.n && may_be_next(&set.member[i]));
	set.lent = set.member[i].f;
	set.member[i] = set.member[--set.n];
}

void exact_set_next(void)
{
	bool some = any_done();
	soon_future *real;
	int code;

	if (set.real == NULL)
		return;
	CLAIM(soon_completions_left(set.real) == set.n);
	if (pick(now.in, 2) == 1)
		look(some || set.n == 0);
	code = soon_completions_next(set.real, exact_timeout(some || !set.n),
				     &real);
	give_back();
	if (set.n == 0)
		CLAIM(code == ENODATA && real == NULL);
	else if (!some)
		CLAIM(code == ETIMEDOUT && real == NULL);
	else
		CLAIM(code == 0);
	if (code == 0)
		came(real);
}
