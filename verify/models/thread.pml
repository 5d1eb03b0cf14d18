/*
 * thread.pml - looking at the jobs that other threads run, while none of them can
 * end.
 *
 * Runners run two jobs each, one after the other.  Lookers, one at a time, look
 * at what every runner runs; a job that is looked at must not have been freed.
 *
 * scene TWO_RUNNERS: two runners, two looks
 * large THREE_RUNNERS: three runners, three looks
 *
 * mutation NO_WAIT in TWO_RUNNERS: a job ends under the eyes of a looker
 * mutation UNANNOUNCED in TWO_RUNNERS: a looker does not say that it looks
 * mutation LATE in TWO_RUNNERS: a looker says so after it has looked which job
 *	runs
 * mutation EARLY in TWO_RUNNERS: a job looks for lookers before it is off the
 *	list
 * mutation SILENT in TWO_RUNNERS: a looker that is through wakes nobody
 */
#ifdef THREE_RUNNERS
#define RUNNERS 3
#else
#define RUNNERS 2
#endif
#define LOOKERS RUNNERS
#define JOBS 2
#define NONE 255

#define SLEEPERS 1
#define LOOKING 2

byte lookers;	/* the word */
bool locked;	/* by a looker */
byte running[RUNNERS] = NONE;
bool freed[RUNNERS * JOBS];
bool asleep[RUNNERS];

/* As sooni_sleep() does it. */
inline wait_for_lookers()
{
	w = lookers;
	do
	:: !(w & LOOKING) ->
		break
	:: w == LOOKING ->
		if
		:: atomic {
			lookers == w ->
				lookers = w | SLEEPERS;
				w = lookers
		   }
		:: atomic {
			lookers != w ->
				w = lookers
		   }
		fi
	:: w == (LOOKING | SLEEPERS) ->
		asleep[me] = lookers == w;
		atomic {
			!asleep[me];
			w = lookers
		}
	od
}

proctype Runner(byte me)
{
	byte w, job;

	do
	:: job < JOBS ->
		running[me] = me * JOBS + job;
#ifdef EARLY
		w = lookers;
		running[me] = NONE;
#else
		running[me] = NONE;
		w = lookers;
#endif
#ifndef NO_WAIT
		if
		:: w != 0 ->
			wait_for_lookers()
		:: else
		fi;
#endif
		freed[me * JOBS + job] = true;
		w = 0;
		job++
	:: else ->
		break
	od
}

proctype Looker()
{
	byte w, job, i;

	atomic {
		!locked ->
			locked = true
	};
#if !defined(UNANNOUNCED) && !defined(LATE)
	lookers = LOOKING;
#endif
	do
	:: i < RUNNERS ->
		job = running[i];
#ifdef LATE
		lookers = LOOKING;
#endif
		if
		:: job != NONE ->
			assert(!freed[job])
		:: else
		fi;
		job = 0;
		i++
	:: else ->
		break
	od;
	atomic {
		w = lookers;
		lookers = 0
	};
#ifndef SILENT
	if
	:: w & SLEEPERS ->
		d_step {
			i = 0;
			do
			:: i < RUNNERS ->
				asleep[i] = false;
				i++
			:: else ->
				break
			od
		}
	:: else
	fi;
#endif
	atomic {
		i = 0;
		w = 0;
		locked = false
	}
}

init
{
	atomic {
		byte n = 0;
		do
		:: n < RUNNERS ->
			run Runner(n);
			n++
		:: else ->
			break
		od;
		n = 0;
		do
		:: n < LOOKERS ->
			run Looker();
			n++
		:: else ->
			break
		od
	};
	_nr_pr == 1
}
