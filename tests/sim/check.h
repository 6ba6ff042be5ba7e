/*
 * check.h - cmocka with what it needs before it, and worlds whose failures are failures of the test.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/world.h"

/** As world_config_default(); a broken rule prints the world and fails the running test. */
void check_config(struct world_config *c, const char *name);
/** The same with a network that is so both ways. */
void check_path(struct world_config *c, const char *name, const struct sanwo_emulator_path *path);

#endif
