/*
 * path.c - A path taken again from the start, told step by step.
 */
#include "model.h"

struct telling {
    struct model m;
    const struct model_path *path;
    FILE *out;
};

static bool tell(void *context)
{
    struct telling *t = context;
    for (unsigned i = 0; i < t->path->length; i++) {
        fprintf(t->out, "%4u    ", i + 1);
        model_print_step(&t->m, t->path->step[i], t->out);
        bool well = model_take(&t->m, t->path->step[i]);
        model_print_situation(&t->m, t->out);
        if (!well)
            return false;
    }
    return true;
}

void model_path_print(const struct model_scenario *scenario, const struct model_path *path,
                      FILE *out)
{
    static struct telling t;
    bool well;

    t = (struct telling){.path = path, .out = out};
    model_create(&t.m, scenario);
    fprintf(out, "--- %s: the shortest path, %u steps (numbers as life:offset from its ISN)\n",
            scenario->name, path->length);
    if (!model_survives(tell, &t, &well))
        model_violation(&t.m, "here an assertion of the core fails, or it crashes");
    if (t.m.violation[0])
        fprintf(out, "--- %s\n", t.m.violation);
    model_destroy(&t.m);
}
