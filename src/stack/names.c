/*
 * names.c - Errors and reasons as text, from their tables.
 */
#include <sanwo/error.h>
#include <sanwo/reason.h>

#define NAME(name, text) #name,
#define TEXT(name, text) text,

static const char *const error_names[] = {"OK", SANWO_ERRORS(NAME)};
static const char *const error_texts[] = {"no error", SANWO_ERRORS(TEXT)};
static const char *const reason_names[] = {SANWO_REASONS(NAME)};
static const char *const reason_texts[] = {SANWO_REASONS(TEXT)};

static bool is_error(int error)
{
    return error >= 0 && error < SANWO_ERROR_COUNT;
}

const char *sanwo_error_name(int error)
{
    error = error < 0 ? -error : error;
    return is_error(error) ? error_names[error] : "?";
}

const char *sanwo_error_text(int error)
{
    error = error < 0 ? -error : error;
    return is_error(error) ? error_texts[error] : "unknown error";
}

const char *sanwo_reason_name(unsigned reason)
{
    return reason < SANWO_REASON_COUNT ? reason_names[reason] : "?";
}

const char *sanwo_reason_text(unsigned reason)
{
    return reason < SANWO_REASON_COUNT ? reason_texts[reason] : "unknown reason";
}
