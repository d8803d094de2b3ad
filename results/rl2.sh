#!/usr/bin/env bash
# RL² with a memory: the cells of its paper's tables, the history encoders, grids, mazes and games.
# What was interrupted goes on. Give a folder for the runs, and names to run only those:
# results/rl2.sh runs/rl2 tabular-10 games
set -uo pipefail
out=${1:?"give a folder for the runs"}
shift
only=" $* "
learn() {
  local name=$1 run=$out/$1
  shift
  [[ $only = "  " || $only == *" $name "* ]] || return 0
  [ -e "$run/evaluation-test.json" ] && return
  if [ -e "$run/recipe.json" ]; then set -- --resume "$run"; else set -- "$@" --run "$run"; fi
  quickstudy train "$@"
}
hundred="rl2-bandit --episodes 100 --meta-batch 512 --entropy-weight 0.005 --steps 1000"
learn gridnavi rl2-gridnavi
learn bandit-100-10 $hundred --arms 10
learn games rl2-games --steps 1200 --validation-episodes 256
learn maze rl2-maze --steps 1000
learn tabular-10 rl2-tabular
learn bandit-100-50 $hundred --arms 50 --steps 500
learn games-memoryless rl2-games --steps 800 --validation-episodes 256 --memory none
learn bandit-500-50 rl2-bandit --arms 50 --episodes 500 --meta-batch 128 --steps 300
for memory in lstm context transformer snail; do
  learn bandit-100-10-$memory $hundred --arms 10 --meta-batch 256 --steps 200 --memory $memory
done
learn tabular-25 rl2-tabular --episodes 25 --steps 200 --meta-batch 256
learn bandit-100-5 $hundred --arms 5 --steps 2000
