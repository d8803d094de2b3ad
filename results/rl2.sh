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
long="rl2-bandit --episodes 100 --meta-batch 256 --entropy-weight 0.005"
learn bandit-100-5-context $long --memory context --steps 800
learn bandit-100-10-context-1000 $long --memory context --arms 10 --steps 1000
learn bandit-100-50 $long --memory context --arms 50 --steps 500
longer="rl2-bandit --episodes 500 --meta-batch 128 --entropy-weight 0.005 --memory context"
learn bandit-500-5 $longer --steps 600
learn bandit-500-10 $longer --arms 10 --width 128 --steps 500
learn tabular-25 rl2-tabular --episodes 25 --steps 300 --meta-batch 256
# What each history encoder learns in few trials.
tables="rl2-tabular --episodes 25 --width 64"
for memory in gru lstm context snail transformer; do
  learn bandit-100-10-$memory $long --arms 10 --memory $memory --steps 200
done
for memory in gru lstm context; do
  learn tabular-25-$memory $tables --memory $memory --meta-batch 128 --steps 60
  learn bandit-500-50-$memory rl2-bandit --arms 50 --episodes 500 --entropy-weight 0.005 \
    --memory $memory --meta-batch 64 --validation-episodes 128 --steps 30
done
for memory in snail transformer; do
  learn tabular-25-$memory $tables --memory $memory --meta-batch 64 --validation-episodes 128 \
    --steps 30
done
