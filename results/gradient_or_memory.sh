#!/usr/bin/env bash
# Gradient against memory in 2-D navigation: MAML, a policy pre-trained in all tasks and fine-tuned,
# and RL², each with the same number of environment steps and tested in the same 200 unseen tasks,
# beside an untrained policy with the same updates, and an oracle that knows the goal. Give a folder
# for the runs, and how many environment steps if not 24 million:
# results/gradient_or_memory.sh runs/either
set -uo pipefail
out=${1:?"give a folder for the runs"}
budget=${2:-24000000}
here=$(dirname "$0")
train() { # name, recipe, environment steps of one training step, settings
  [ -e "$out/$1/evaluation-test.json" ] && return
  local steps=$((budget / $3))
  quickstudy train "$2" --steps $((steps > 0 ? steps : 1)) --run "$out/$1" "${@:4}"
}
# 20 tasks of 20 trajectories of 100 steps; before, between and after the updates.
train maml maml-navigation 80000 --inner-steps 1 --scored-updates 1
train maml-two-updates maml-navigation 120000
train pretrained pretrained-navigation 40000
# 200 trials of 4 episodes of 100 steps.
train rl2 rl2-navigation 80000 --meta-batch 200
python "$here/tables.py" gradient-or-memory "$out"
