/*
 * trap.c - The core's assertions trap, and a broken core may touch what it must not. Here both are
 * violations like any other, so that the path there can be told.
 */
#define _GNU_SOURCE
#include "model.h"

#include <setjmp.h>
#include <signal.h>

static sigjmp_buf trapped;

static void on_signal(int number)
{
    siglongjmp(trapped, number);
}

bool model_survives(bool (*run)(void *context), void *context, bool *result)
{
    static const int signals[] = {SIGILL, SIGSEGV};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER}, was[2];
    volatile bool survived = false;

    for (int i = 0; i < 2; i++)
        sigaction(signals[i], &action, &was[i]);
    if (sigsetjmp(trapped, 1) == 0) {
        *result = run(context);
        survived = true;
    }
    for (int i = 0; i < 2; i++)
        sigaction(signals[i], &was[i], NULL);
    return survived;
}
