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
learn games rl2-games --steps 2400 --validation-episodes 256
learn maze rl2-maze --steps 1000
learn tabular-10 rl2-tabular
learn games-memoryless rl2-games --steps 800 --validation-episodes 256 --memory none
learn bandit-100-5 $hundred --arms 5 --steps 2000
learn bandit-100-50 $hundred --arms 50 --meta-batch 256 --steps 500
five_hundred="rl2-bandit --episodes 500 --entropy-weight 0.005 --validation-episodes 256"
for arms in 5 10 50; do
  learn bandit-500-$arms $five_hundred --arms $arms --meta-batch 128 --steps 250
done
learn tabular-25 rl2-tabular --episodes 25 --steps 300 --meta-batch 256
for episodes in 50 75 100; do
  learn tabular-$episodes rl2-tabular --episodes $episodes --width 64 --meta-batch 128 \
    --validation-episodes 256 --steps 80
done
# What each history encoder learns in the same few trials.
for memory in gru lstm context snail transformer; do
  learn bandit-100-10-$memory $hundred --arms 10 --meta-batch 256 --steps 200 --memory $memory
  learn tabular-25-$memory rl2-tabular --episodes 25 --memory $memory --width 64 \
    --meta-batch 128 --steps 60
  run=$out/bandit-500-50-$memory
  if [ ! -e "$run/evaluation-test-1000-episodes.json" ]; then
    learn bandit-500-50-$memory $five_hundred --arms 50 --memory $memory --meta-batch 64 \
      --validation-episodes 128 --steps 30 --no-test
    [ -e "$run/recipe.json" ] && quickstudy evaluate "$run" --episodes 1000
  fi
done
