/*
 * report.h - The results of all scripts: for people, as JSON, as JUnit's XML.
 */
#ifndef SANWO_TOOLS_DRILL_REPORT_H
#define SANWO_TOOLS_DRILL_REPORT_H

#include <stdio.h>

#include "run.h"

struct drill_report {
    const char *const *paths;
    const struct drill_result *results;
    size_t count;
    sanwo_time took; /* real time of all */
};

/** How many scripts have that verdict. */
size_t sw_drill_report_count(const struct drill_report *report, enum drill_verdict verdict);
/** Failures, skips by reason, and "N passed, M failed, K skipped". @verbose: passed ones too. */
void sw_drill_report_text(const struct drill_report *report, bool verbose, FILE *out);
void sw_drill_report_json(const struct drill_report *report, FILE *out);
void sw_drill_report_junit(const struct drill_report *report, FILE *out);

#endif
