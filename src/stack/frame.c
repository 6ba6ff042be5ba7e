/*
 * frame.c - Frames as flat bytes, for links without scatter-gather or checksum offload.
 */
#include <sanwo/frame.h>

#include "base/bytes.h"
#include "base/checksum.h"

void sanwo_frame_copy(const struct sanwo_frame *frame, uint8_t *out)
{
    for (uint16_t i = 0; i < frame->slice_count; i++) {
        memcpy(out, frame->slices[i].bytes, frame->slices[i].length);
        out += frame->slices[i].length;
    }
}

void sanwo_frame_complete(const struct sanwo_frame *frame, uint8_t *bytes)
{
    uint32_t field = (uint32_t)frame->checksum_start + frame->checksum_offset;
    if (frame->checksum != SANWO_CHECKSUM_PARTIAL || field + 2 > frame->length)
        return;
    /* The field holds the pseudo-header's sum: it takes part and is replaced. */
    uint32_t sum =
        sw_checksum_add(0, bytes + frame->checksum_start, frame->length - frame->checksum_start);
    sw_store16(bytes + field, sw_checksum_finish(sum));
}
