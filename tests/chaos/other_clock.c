/* Preloaded into a process, shifts its wall clock by CLOCK_OFFSET_S seconds. No other clock changes.

   libfaketime would do it too, but time.sleep() of Python 3.11 then fails, or waits on conditions never end. */

extern void *dlsym(void *, const char *);
extern char *getenv(const char *);
extern long atol(const char *);

struct timespec { long seconds, nanoseconds; };

typedef int get_time(int, struct timespec *);

int clock_gettime(int clock, struct timespec *now)
{
    static get_time *next;
    static long offset;
    if (!next) {
        const char *set = getenv("CLOCK_OFFSET_S");
        offset = set ? atol(set) : 0;
        next = (get_time *)dlsym((void *)-1, "clock_gettime"); /* RTLD_NEXT */
    }
    int failed = next(clock, now);
    if (!failed && clock == 0) /* CLOCK_REALTIME */
        now->seconds += offset;
    return failed;
}
