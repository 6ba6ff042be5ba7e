/*
 * explore.c - Breadth first through all situations, each expanded once.
 *
 *     layer 0     layer 1       layer 2
 *     start  -->  . . . .  -->  . . . . . . .      every step from every situation
 *                   |
 *                   '-- new? its fair ends are tried; it is kept for the next layer
 *
 * A situation that was seen with as many faults left, or more, is not looked at again. Of those that
 * are left out a sample is kept and expanded afterwards: its successors must be those of the one
 * that stood for it, or the key leaves out something that matters.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_EVERY 61
#define SAMPLES 3000
#define MOST_STEPS 96

struct node {
    struct model_situation at;
    struct model_image *image[2];
    uint32_t record;
};

struct layer {
    struct node *node;
    size_t count, capacity;
};

struct search {
    struct model *m;
    struct model_store store;
    struct layer now, next, samples;
    struct model_report *report;
    struct model_path tail; /* steps of the fair end that is being tried */
    struct model_step step; /* the one being taken ... */
    uint32_t from;          /* ... and from where */
    uint64_t bytes, duplicates;
    unsigned depth;
    uint64_t limit; /* of situations; 0: none */
};

/* ---- nodes ----------------------------------------------------------------------------------- */

static void push(struct layer *layer, const struct node *node)
{
    if (layer->count == layer->capacity) {
        layer->capacity = layer->capacity ? layer->capacity * 2 : 256;
        layer->node = realloc(layer->node, layer->capacity * sizeof(*layer->node));
        if (!layer->node)
            abort();
    }
    layer->node[layer->count++] = *node;
}

static void release(struct node *node)
{
    model_image_release(node->image[0]);
    model_image_release(node->image[1]);
}

static void clear(struct layer *layer)
{
    for (size_t i = 0; i < layer->count; i++)
        release(&layer->node[i]);
    free(layer->node);
    *layer = (struct layer){0};
}

static void load(struct model *m, const struct node *node)
{
    m->at = node->at;
    m->violation[0] = 0;
    for (unsigned side = 0; side < 2; side++)
        model_image_load(m, side, node->image[side]);
}

/* The situation as it is. Only the host of the last step can have changed. */
static struct node take_node(struct search *s, const struct node *parent, unsigned changed)
{
    struct node node = {.at = s->m->at};
    node.image[changed] = model_image_take(s->m, changed);
    node.image[1 - changed] = parent->image[1 - changed];
    node.image[1 - changed]->references++;
    for (unsigned side = 0; side < 2; side++)
        s->bytes += node.image[side]->lines * (uint64_t)64;
    return node;
}

/* ---- the fair end ---------------------------------------------------------------------------- */

/* Whether all was read, where two that wanted no more than that were at work. */
static bool check_delivered(struct model *m)
{
    const struct model_allow *allow = m->scenario->allow;
    if (!allow[0].gentle || !allow[1].gentle)
        return true;
    for (unsigned side = 0; side < 2; side++)
        for (unsigned life = 0; life < MODEL_LIVES; life++)
            if (m->at.end[0].ended == ENDED_IN_ORDER && m->at.end[1].ended == ENDED_IN_ORDER &&
                life + 1u == m->at.end[side].lives &&
                m->at.end[side].written[life] != m->at.end[1 - side].got[life])
                return model_violation(m, "host %u wrote %u bytes, %u were read", side,
                                       m->at.end[side].written[life],
                                       m->at.end[1 - side].got[life]);
    return true;
}

static bool try_end(struct search *s, enum model_manner manner)
{
    struct model *m = s->m;
    uint64_t keys[MODEL_DEPTH];
    uint64_t salt = (uint64_t)(manner + 1) << 1;
    struct model_step step;

    for (s->tail.length = 0; s->tail.length < MODEL_DEPTH - 64; s->report->fair_steps++) {
        uint64_t key = (model_key(m) ^ salt) * 3;
        if (model_store_has_end(&s->store, key))
            break;
        keys[s->tail.length] = key;
        if (!model_finish_step(m, manner, &step)) {
            if (!model_check_empty(m) || (manner == FINISH_PATIENT && !check_delivered(m)))
                return false;
            model_store_add_end(&s->store, key);
            break;
        }
        s->tail.step[s->tail.length++] = step;
        if (!model_take(m, step))
            return false;
    }
    if (s->tail.length == MODEL_DEPTH - 64)
        return model_violation(m, "a fair wire does not bring both ends to CLOSED");
    for (unsigned i = 0; i < s->tail.length; i++)
        model_store_add_end(&s->store, keys[i]);
    return true;
}

static bool try_ends(struct search *s, const struct node *node)
{
    struct model *m = s->m;
    m->fair = true;
    for (unsigned manner = 0; manner < FINISH_MANNERS; manner++) {
        if (manner)
            load(m, node);
        m->violent = manner == FINISH_AT_ONCE;
        if (!try_end(s, (enum model_manner)manner))
            return false;
    }
    m->fair = m->violent = false;
    s->tail.length = 0;
    return true;
}

/* ---- expanding ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t key, uint64_t faults)
{
    key = (key ^ faults << 57) * UINT64_C(0xd6e8feb86659fd93);
    return key ^ key >> 32;
}

static void keep_sample(struct search *s, const struct node *parent, uint32_t record)
{
    if (s->samples.count >= SAMPLES || ++s->duplicates % SAMPLE_EVERY)
        return;
    struct node node = take_node(s, parent, s->step.side);
    node.record = record;
    push(&s->samples, &node);
}

/* What came of a step: kept if it is new, or was only seen with fewer faults left. */
static bool arrive(struct search *s, const struct node *parent, uint64_t key)
{
    struct model *m = s->m;
    bool is_new;
    uint32_t i = model_store_find(&s->store, key, &is_new);
    struct model_record *record = &s->store.record[i];
    const struct model_record *before = &s->store.record[parent->record];

    if (!is_new && m->at.faults <= record->faults) {
        if (m->at.faults == record->faults)
            keep_sample(s, parent, i);
        return true;
    }
    if (is_new) {
        record->parent = parent->record;
        record->step = s->step;
        record->depth = (uint8_t)(before->depth + 1);
    }
    record->faults = m->at.faults;
    record->expanded = false;
    struct node node = take_node(s, parent, s->step.side);
    node.record = i;
    push(&s->next, &node);
    return !is_new || try_ends(s, &node);
}

/* All steps from @node. @keep: what comes of them is noted; else only the sum is wanted. */
static bool expand(struct search *s, const struct node *node, bool keep, uint64_t *sum)
{
    struct model *m = s->m;
    struct model_step steps[MOST_STEPS];

    load(m, node);
    size_t n = model_steps(m, steps);
    s->from = node->record;
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        s->step = steps[i];
        if (i)
            load(m, node);
        if (!model_take(m, steps[i]))
            return false;
        uint64_t key = model_key(m);
        *sum += mix(key, m->at.faults);
        if (keep && !arrive(s, node, key))
            return false;
    }
    s->report->transitions += keep ? n : 0;
    return true;
}

static bool is_full(const struct search *s)
{
    return s->limit && s->store.count >= s->limit;
}

static bool expand_layer(struct search *s, unsigned depth)
{
    for (size_t i = 0; i < s->now.count && !is_full(s); i++) {
        struct node *node = &s->now.node[i];
        struct model_record *record = &s->store.record[node->record];
        if (node->at.faults < record->faults || record->expanded)
            continue; /* it was reached again meanwhile, with more faults left */
        record->expanded = true;
        uint64_t sum;
        if (!expand(s, node, true, &sum))
            return false;
        s->store.record[node->record].successors = sum;
    }
    s->report->depth = depth + 1;
    return true;
}

static bool check_samples(struct search *s)
{
    for (size_t i = 0; i < s->samples.count; i++) {
        const struct node *node = &s->samples.node[i];
        const struct model_record *record = &s->store.record[node->record];
        uint64_t sum;
        if (!record->expanded || record->faults != node->at.faults)
            continue;
        if (!expand(s, node, false, &sum))
            return false;
        s->report->samples++;
        s->report->differing += sum != s->store.record[node->record].successors;
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool run(void *context)
{
    struct search *s = context;
    struct model *m = s->m;
    struct node start = {.at = m->at, .image = {model_image_take(m, 0), model_image_take(m, 1)}};
    bool is_new;

    start.record = model_store_find(&s->store, model_key(m), &is_new);
    s->store.record[start.record].parent = UINT32_MAX;
    s->store.record[start.record].faults = m->at.faults;
    push(&s->now, &start);
    for (unsigned layer = 0; layer < s->depth && s->now.count && !is_full(s); layer++) {
        if (!expand_layer(s, layer))
            return false;
        clear(&s->now);
        s->now = s->next;
        s->next = (struct layer){0};
    }
    s->report->complete = s->now.count == 0;
    return check_samples(s);
}

/* From the start to where the search stands, the fair end included. */
static void path_to_here(const struct search *s, struct model_path *out)
{
    struct model_step backwards[MODEL_DEPTH];
    unsigned n = 0;

    backwards[n++] = s->step;
    for (uint32_t i = s->from; s->store.record[i].parent != UINT32_MAX && n < MODEL_DEPTH;
         i = s->store.record[i].parent)
        backwards[n++] = s->store.record[i].step;
    for (out->length = 0; n; out->length++)
        out->step[out->length] = backwards[--n];
    for (unsigned i = 0; i < s->tail.length && out->length < MODEL_DEPTH; i++)
        out->step[out->length++] = s->tail.step[i];
}

bool model_explore(struct model *m, unsigned depth, uint64_t limit, struct model_report *out)
{
    static struct search s;
    bool well = false;

    s = (struct search){.m = m, .report = out, .depth = depth, .limit = limit};
    *out = (struct model_report){0};
    if (!model_survives(run, &s, &well))
        model_violation(m, "an assertion of the core fails, or it crashes");
    out->states = s.store.count;
    out->image_bytes = s.store.count ? s.bytes / s.store.count : 0;
    if (!well) {
        struct model_path path;
        path_to_here(&s, &path);
        fprintf(stderr, "--- %s: %s\n", m->scenario->name, m->violation);
        model_path_print(m->scenario, &path, stderr);
    }
    clear(&s.now);
    clear(&s.next);
    clear(&s.samples);
    model_store_free(&s.store);
    return well;
}
