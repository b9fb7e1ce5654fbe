# Costs of one task that don't depend on the machine's mood: instructions and system calls.
#
# Each is the difference of a long and a short run, divided by the tasks between: what a run costs once falls out.

short_run=100
long_run=600

# instructions FILE...: the sum over callgrind's files.
instructions() { awk '/^(summary|totals):/ { if (!(FILENAME in seen)) sum += $2; seen[FILENAME] } END { print sum }' "$@"; }

# each_task LONG SHORT
each_task() { awk -v long="$1" -v short="$2" -v n=$((long_run - short_run)) 'BEGIN { printf "%.1f\n", (long - short) / n }'; }

# Instructions of the driver, its threads included, with an engine that does nothing.
driver_instructions() {
    rm -f "$work"/callgrind.*
    repeated true "$1" >"$work/lines"
    valgrind -q --log-file=/dev/null --tool=callgrind --callgrind-out-file="$work/callgrind.%p" "$work/null/disbatch" -s localhost:2 \
        --progress never -p "$work/run.costs" "$work/lines" >&2
    instructions "$work"/callgrind.*
    clean
}

# Instructions of the engine and its guard. The driver is not traced: it starts an engine that is.
engine_instructions() {
    rm -f "$work"/callgrind.*
    mkdir -p "$work/traced"
    cp "$programs/disbatch" "$work/traced/"
    printf '#!/bin/sh\nexec valgrind -q --log-file=/dev/null --tool=callgrind --callgrind-out-file=%q %q\n' \
        "$work/callgrind.%p" "$programs/disbatch-engine" >"$work/traced/disbatch-engine"
    chmod +x "$work/traced/disbatch-engine"
    repeated /bin/true "$1" >"$work/lines"
    "$work/traced/disbatch" -s localhost:2 --progress never -p "$work/run.costs" "$work/lines" >&2
    instructions "$work"/callgrind.*
    clean
}

# System calls of a whole run, less those of the tasks themselves: of a task's process those before its execve count.
system_calls() {
    rm -rf "$work/strace"
    mkdir "$work/strace"
    repeated /bin/true "$1" >"$work/lines"
    strace -ff -qq -o "$work/strace/s" "$programs/disbatch" -s localhost:2 --progress never -p "$work/run.costs" \
        "$work/lines" >&2
    awk '
        FNR == 1 { isTask = 0; kind = "engine" }
        FNR == 1 && /^execve\(.*\/disbatch"/ { kind = "driver" }
        isTask { next }
        /^execve\("\/bin\/true"/ { isTask = 1 }
        /^[a-z_0-9]+\(/ { name = $0; sub(/\(.*/, "", name); count[name]++; total++ }
        END { print total; for (name in count) print name, count[name] }' "$work"/strace/*
    clean
}

bench_costs() {
    if command -v valgrind >/dev/null; then
        row "a task: instructions in the driver" \
            "$(each_task "$(driver_instructions $long_run)" "$(driver_instructions $short_run)")"
        row "a task: instructions in the engine" \
            "$(each_task "$(engine_instructions $long_run)" "$(engine_instructions $short_run)")"
    fi
    if command -v strace >/dev/null; then
        system_calls $long_run >"$work/calls.long"
        system_calls $short_run >"$work/calls.short"
        row "a task: system calls but its own" \
            "$(each_task "$(head -1 "$work/calls.long")" "$(head -1 "$work/calls.short")")"
        awk -v n=$((long_run - short_run)) '
            NF == 1 { next }
            FNR == NR { short[$1] = $2; next }
            { each = ($2 - short[$1]) / n; if (each >= 0.05) printf "    %-20s %.1f\n", $1, each }' \
            "$work/calls.short" "$work/calls.long" | sort -k2 -gr
    fi
}
