#!/usr/bin/env bash
# Omniglot for every learner: trained for minutes on 5-way 1-shot with strided convolutions; the
# same run is then tested on 5-way 5-shot and, where the learner takes any number of ways, on 20-way
# 1-shot. What was interrupted goes on. Give a folder for the runs, and names to run only those:
# results/omniglot.sh runs/omniglot matching ridge
set -uo pipefail
out=${1:?"give a folder for the runs"}
shift
only=" $* "
learn() {
  local name=$1 shapes=$2 run=$out/$1
  shift 2
  [[ $only = "  " || $only == *" $name "* ]] || return 0
  if [ ! -e "$run/evaluation-test.json" ]; then
    if [ -e "$run/recipe.json" ]; then set -- --resume "$run"; else set -- "$@" --run "$run"; fi
    quickstudy train "$@" || return
  fi
  for shape in $shapes; do
    [ -e "$run/evaluation-test-$shape.json" ] ||
      quickstudy evaluate "$run" "--${shape#*-}s" "${shape%-*}" --no-curves
  done
}
any="5-shot 20-way"
own="5-shot"
learn matching "$any" matching-omniglot --downsample stride --steps 3000 --learning-rate 3e-3
learn ridge "$any" ridge-omniglot --downsample stride --steps 3000
learn relation "$any" relation-omniglot --downsample stride --steps 2000
learn fomaml "$own" fomaml-omniglot --norm batch --steps 1500
learn reptile "$own" reptile-omniglot --norm batch --steps 3000
learn meta-sgd "$own" meta-sgd-omniglot --norm batch --steps 1500
learn anil "$own" anil-omniglot --steps 2000
learn maml++ "$own" maml++-omniglot --norm batch --steps 1000 --meta-batch 8 --inner-steps 3
learn snail "$own" blackbox-omniglot --memory snail --steps 2000
learn centroid "$any" transfer-omniglot --downsample stride --steps 2000
learn cosine "$any" transfer-omniglot --method cosine --downsample stride --steps 3000
learn head "$any" transfer-omniglot --method head --downsample stride --steps 3000
learn all "$any" transfer-omniglot --method all --downsample stride --steps 3000
