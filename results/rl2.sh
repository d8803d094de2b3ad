#!/usr/bin/env bash
# RL² with a memory: the cells of its paper's tables, the history encoders, grids, mazes and games;
# VariBAD in the grid.
# What was interrupted goes on. Give a folder for the runs, and names to run only those; SEED=1 is
# another seed, in folders called NAME-seed-1:
# results/rl2.sh runs/rl2 tabular-10 games
set -uo pipefail
out=${1:?"give a folder for the runs"}
shift
only=" $* "
learn() {
  local name=$1 run=$out/$1${SEED:+-seed-$SEED}
  shift
  [[ $only = "  " || $only == *" $name "* ]] || return 0
  [ -e "$run/evaluation-test.json" ] && return
  if [ -e "$run/recipe.json" ]; then set -- --resume "$run"; else set -- "$@" --seed "${SEED:-0}" --run "$run"; fi
  quickstudy train "$@"
}
extend() { # the run of that name, to so many steps in all
  local run=$out/$1${SEED:+-seed-$SEED} steps=$2 planned
  [[ $only = "  " || $only == *" $1 "* ]] || return 0
  planned=$(grep -o '"steps": [0-9]*' "$run/recipe.json")
  [ "${planned##* }" -ge "$steps" ] || quickstudy train --resume "$run" --steps "$steps"
}
hundred="rl2-bandit --trial-episodes 100 --meta-batch 512 --entropy-weight 0.005 --steps 1000"
learn gridnavi rl2-gridnavi
learn varibad-gridnavi varibad-gridnavi
learn bandit-100-10 $hundred --arms 10
learn games rl2-games --validate-every 100 --validation-episodes 256
learn maze rl2-maze --steps 1000
context="--memory context --entropy-weight 0.06 --validate-every 50"
learn tabular-10-context rl2-tabular $context --width 128 --steps 900 --meta-batch 512
learn games-memoryless rl2-games --steps 800 --meta-batch 128 --validation-episodes 256 --memory none
long="rl2-bandit --trial-episodes 100 --meta-batch 256 --entropy-weight 0.005"
learn bandit-100-5-context $long --memory context --steps 800
learn bandit-100-10-context-1000 $long --memory context --arms 10 --steps 1000
learn bandit-100-50 $long --memory context --arms 50 --steps 500
longer="rl2-bandit --trial-episodes 500 --meta-batch 128 --entropy-weight 0.005 --memory context"
learn bandit-500-5 $longer --steps 600
learn bandit-500-10 $longer --arms 10 --width 128 --steps 500
learn tabular-25-context rl2-tabular --trial-episodes 25 $context --width 128 --steps 300 --meta-batch 256
# A memory that knows that arms, actions and states are interchangeable.
counts="rl2-bandit --memory table --width 16 --validate-every 20"
for arms in 5 10 50; do
  learn bandit-10-$arms-table $counts --arms $arms --meta-batch 256 --steps 200
done
sure="$counts --entropy-weight 0.001"
learn bandit-100-5-table $sure --arms 5 --trial-episodes 100 --meta-batch 512 --steps 400
learn bandit-100-10-table $sure --arms 10 --trial-episodes 100 --meta-batch 512 --steps 400
learn bandit-100-50-table $counts --arms 50 --trial-episodes 100 --meta-batch 256 --steps 200
learn bandit-500-5-table $sure --arms 5 --trial-episodes 500 --meta-batch 128 --steps 200
learn bandit-500-10-table $sure --arms 10 --trial-episodes 500 --meta-batch 128 --steps 200
learn bandit-500-50-table $sure --arms 50 --trial-episodes 500 --meta-batch 64 --steps 200
extend bandit-500-50-table 320
extend bandit-500-50-table 420
learn tabular-10-table rl2-tabular
learn tabular-25-table rl2-tabular --trial-episodes 25
learn tabular-50-table rl2-tabular --trial-episodes 50 --meta-batch 64
# What is found out in an early episode pays in many later ones.
far="rl2-tabular --meta-batch 64 --discount 0.998 --decay 0.9"
learn tabular-75-table $far --trial-episodes 75
learn tabular-100-table $far --trial-episodes 100
# What each history encoder learns in few trials.
tables="rl2-tabular --trial-episodes 25 --width 64 --entropy-weight 0.06"
for memory in gru lstm context snail transformer; do
  learn bandit-100-10-$memory $long --arms 10 --memory $memory --steps 200
done
for memory in gru lstm context transformer snail; do
  learn bandit-500-50-$memory rl2-bandit --arms 50 --trial-episodes 500 --entropy-weight 0.005 \
    --memory $memory --meta-batch 64 --validation-episodes 128 --steps 30
done
for memory in gru lstm context; do
  learn tabular-25-$memory $tables --memory $memory --meta-batch 128 --steps 60
done
for memory in snail transformer; do
  learn tabular-25-$memory $tables --memory $memory --meta-batch 64 --validation-episodes 128 \
    --steps 30
done
