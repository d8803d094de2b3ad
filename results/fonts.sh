#!/usr/bin/env bash
# From printed fonts to handwriting: every learner meta-trained on glyphs alone, then tested on
# Omniglot. Give a folder for the runs: results/fonts.sh runs/fonts
set -uo pipefail
out=${1:?"give a folder for the runs"}
learn() {
  local name=$1
  shift
  [ -e "$out/$name/evaluation-test-on-omniglot.json" ] && return
  quickstudy train "$@" --run "$out/$name" &&
    quickstudy evaluate "$out/$name" --on omniglot --no-curves
}
learn prototypical prototypical-glyphs
learn matching matching-glyphs
learn ridge ridge-glyphs
learn relation relation-glyphs
learn centroid transfer-glyphs
learn maml maml-glyphs --steps 2000 --meta-batch 8
learn fomaml fomaml-glyphs
learn transformer blackbox-glyphs
learn meta-sgd meta-sgd-glyphs
learn anil anil-glyphs
learn neural-process blackbox-glyphs --memory class-mean
learn snail blackbox-glyphs --memory snail
learn reptile reptile-glyphs
learn lstm blackbox-glyphs --memory lstm
learn boil boil-glyphs
learn head transfer-glyphs --method head
learn cosine transfer-glyphs --method cosine
learn matching-full matching-glyphs --context full
learn attention blackbox-glyphs --memory attention
learn all transfer-glyphs --method all
learn maml++ maml++-glyphs
learn imaml imaml-glyphs
