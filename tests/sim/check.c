/*
 * check.c - From a rule that a world broke to a test that failed.
 */
#include "check.h"

static void fail_test(void *context, struct world *w)
{
    (void)context;
    print_error("%s, WORLD_SALT %llu, salt %llu, at %.6f s: %s\n", w->config.name,
                (unsigned long long)w->config.salt >> 32,
                (unsigned long long)w->config.salt & UINT32_MAX, (double)world_now(w) / 1e9,
                w->failure);
    world_describe(w, stderr);
    fail();
}

void check_config(struct world_config *c, const char *name)
{
    world_config_default(c, name);
    c->on_failure = fail_test;
}

void check_path(struct world_config *c, const char *name, const struct sanwo_emulator_path *path)
{
    check_config(c, name);
    world_config_path(c, path);
}
