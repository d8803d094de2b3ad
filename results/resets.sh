#!/usr/bin/env bash
# What the reset is for: memory cleared between tasks, at every episode, or never, in policies that
# are not told where a trial begins. Give a folder for the runs: results/resets.sh runs/resets
set -uo pipefail
out=${1:?"give a folder for the runs"}
for forgets in between-tasks between-episodes never; do
  for family in "bandit --steps 400" "gridnavi --steps 200" "maze --steps 400"; do
    name=${family%% *}-$forgets
    [ -e "$out/$name/evaluation-test.json" ] && continue
    # shellcheck disable=SC2086
    quickstudy train rl2-$family --told no-beginnings --forgets $forgets --run "$out/$name"
  done
done
