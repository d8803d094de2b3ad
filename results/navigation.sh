#!/usr/bin/env bash
# MAML in 2-D navigation with seeds 0, 1 and 2, tested with 20 and with 40 trajectories per update.
# What was interrupted goes on. Give a folder for the runs, and settings if not the recipe's:
# results/navigation.sh runs/navigation --steps 600
set -uo pipefail
out=${1:?"give a folder for the runs"}
shift
for seed in 0 1 2; do
  run=$out/seed-$seed
  if [ -e "$run/recipe.json" ]; then
    quickstudy train --resume "$run" --no-test
  else
    quickstudy train maml-navigation --seed $seed --no-test --run "$run" "$@"
  fi
  quickstudy evaluate "$run"
  quickstudy evaluate "$run" --trajectories 40
done
