#!/usr/bin/env bash
# Sinusoid regression: every learner trained with 10 points, tested with 5, 10 and 20.
# Give a folder for the runs: results/sinusoids.sh runs/sinusoids
set -uo pipefail
out=${1:?"give a folder for the runs"}
learn() {
  local name=$1
  shift
  [ -e "$out/$name/evaluation-test-20-shot.json" ] && return
  quickstudy train "$@" --run "$out/$name" --no-test &&
    for shots in 5 10 20; do
      quickstudy evaluate "$out/$name" --shots $shots --no-curves
    done
}
learn maml maml-sinusoid
learn pretrained pretrained-sinusoid
learn fomaml fomaml-sinusoid
learn anil anil-sinusoid
learn meta-sgd meta-sgd-sinusoid
learn maml++ maml++-sinusoid
learn reptile reptile-sinusoid
learn ridge ridge-sinusoid
learn neural-process blackbox-sinusoid --memory mean
learn attention blackbox-sinusoid --memory attention
learn lstm blackbox-sinusoid --memory lstm
learn transformer blackbox-sinusoid --memory transformer
