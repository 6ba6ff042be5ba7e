#!/bin/sh
# read by shell.pkt: through the table of commands, not by a shell
sysctl -w net.ipv4.tcp_window_scaling=0 > /dev/null
