#!/usr/bin/env bash
# Omniglot for every learner: trained for minutes on 1-shot tasks with strided convolutions, and
# tested on 1-shot and 5-shot tasks; a run called NAME-5-shot was trained on five. Learners that take
# any number of ways are trained once and tested on 5 and on 20; the others train anew on 20 ways, in
# a run called NAME-20-way. What was interrupted goes on. Give a folder for the runs, and names to run
# only those; SEED=1 is another seed, in folders called NAME-seed-1:
# results/omniglot.sh runs/omniglot matching maml-20-way
set -uo pipefail
out=${1:?"give a folder for the runs"}
shift
only=" $* "
learn() {
  local name=$1 shapes=$2 run=$out/$1${SEED:+-seed-$SEED}
  shift 2
  [[ $only = "  " || $only == *" $name "* ]] || return 0
  if [ ! -e "$run/evaluation-test.json" ]; then
    if [ -e "$run/recipe.json" ]; then set -- --resume "$run"; else set -- "$@" --seed "${SEED:-0}" --run "$run"; fi
    quickstudy train "$@" || return
  fi
  for shape in $shapes; do
    local asked=(--shots 5)
    [[ $shape = 20-way* ]] && asked=(--ways 20)
    [[ $shape = 20-way-5-shot ]] && asked=(--ways 20 --shots 5)
    [ -e "$run/evaluation-test-$shape.json" ] ||
      quickstudy evaluate "$run" "${asked[@]}" --no-curves
  done
}
any="5-shot 20-way 20-way-5-shot"
own="5-shot"
memory="blackbox-omniglot --filters 32 --meta-batch 16"
random="blackbox-omniglot --protocol finn2017 --meta-batch 16"
learn lstm "$own" $random --memory lstm --filters 32 --steps 10000
learn lstm-5-shot "" $random --memory lstm --shots 5 --queries 1 --filters 32 --steps 20000
learn class-mean "$own" $random --memory class-mean --steps 8000
learn attention "$own" $memory --memory attention --steps 4000
learn transformer "$own" $memory --memory transformer --steps 4000
learn maml++ "$own" maml++-omniglot --norm batch --steps 1000 --meta-batch 8 --inner-steps 3
learn fomaml "$own" fomaml-omniglot --norm batch --steps 30000 --meta-batch 12
learn meta-sgd "$own" meta-sgd-omniglot --norm batch --steps 8000
learn anil "$own" anil-omniglot --norm batch --steps 6000
learn boil "$own" boil-omniglot --norm batch --steps 1500
learn maml "$own" maml-omniglot --norm batch --steps 15000
learn reptile "$own" reptile-omniglot --norm batch --readout flatten --steps 40000
learn prototypical "$any" prototypical-omniglot --downsample stride --steps 20000
learn cosine "$any" transfer-omniglot --method cosine --downsample stride --steps 1000
learn head "$any" transfer-omniglot --method head --downsample stride --steps 1000
learn all "$any" transfer-omniglot --method all --downsample stride --steps 1000
twenty="--ways 20 --meta-batch 4"
learn maml-20-way "$own" maml-omniglot --norm batch --steps 20000 --inner-steps 1 $twenty
learn anil-20-way "$own" anil-omniglot --norm batch --steps 20000 --inner-lr 2 $twenty
learn class-mean-20-way "$own" $memory --memory class-mean --steps 1000 --ways 20
learn lstm-20-way "$own" $memory --memory lstm --steps 1000 --ways 20
learn snail "$own" $memory --memory snail --steps 700
learn imaml "$own" imaml-omniglot --norm batch --steps 4000 --meta-batch 8
learn matching-full "$any" matching-omniglot --context full --downsample stride --steps 600 \
  --learning-rate 3e-3
learn meta-sgd-20-way "$own" meta-sgd-omniglot --norm batch --steps 8000 $twenty
learn fomaml-20-way "$own" fomaml-omniglot --norm batch --steps 40000 $twenty
learn maml++-20-way "$own" maml++-omniglot --norm batch --steps 500 --inner-steps 3 $twenty
learn attention-20-way "$own" $memory --memory attention --past 128 --steps 1000 --ways 20
learn transformer-20-way "$own" $memory --memory transformer --past 128 --steps 1000 --ways 20
learn matching "$any" matching-omniglot --protocol finn2017 --downsample stride --steps 40000 \
  --learning-rate 3e-3
learn prototypical-5-shot "20-way" prototypical-omniglot --shots 5 --downsample stride --steps 6000
learn matching-5-shot "20-way" matching-omniglot --protocol finn2017 --shots 5 \
  --downsample stride --steps 20000 --learning-rate 3e-3
learn ridge "$any" ridge-omniglot --downsample stride --steps 15000
learn relation "$any" relation-omniglot --downsample stride --steps 10000
learn centroid "$any" transfer-omniglot --downsample stride --steps 2000
