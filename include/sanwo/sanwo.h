/*
 * sanwo/sanwo.h - The core: TCP/IP over any packet pipe, in one memory region.
 *
 * Drivers and the event loop are in sanwo/driver.h and sanwo/loop.h, HTTP in sanwo/http.h, traces in
 * sanwo/trace.h; each is a library of its own.
 */
#ifndef SANWO_SANWO_H
#define SANWO_SANWO_H

#include <sanwo/address.h>
#include <sanwo/error.h>
#include <sanwo/frame.h>
#include <sanwo/observer.h>
#include <sanwo/reason.h>
#include <sanwo/stack.h>
#include <sanwo/tcp.h>
#include <sanwo/types.h>

#endif
