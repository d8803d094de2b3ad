#!/usr/bin/env bash
# Emoji drawn by four artists, 1-shot: learners × what reads the images. Conv4 on 32×32 from
# scratch, frozen features of EfficientNet-Lite0, and those features with a meta-trained layer.
# Give a folder for the runs and the one with the four npm packages:
#
#     results/emoji.sh runs/emoji packages
#     python results/tables.py emoji runs/emoji
set -uo pipefail
out=${1:?"give a folder for the runs"}
data=${2:?"give the folder with the packages (docs/own-data.md says how to get them)"}
learn() {
  local name=$1
  shift
  [ -e "$out/$name/evaluation-test.json" ] && return
  quickstudy train "$@" --on emoji --data "$data" --steps 1000 --validate-every 250 \
    --run "$out/$name"
}
for method in prototypical matching ridge; do
  for ways in 5 20; do
    learn "$method-frozen-$ways" "$method" --ways "$ways" --network efficientnet-lite0 --width 0
    learn "$method-trained-$ways" "$method" --ways "$ways" --network efficientnet-lite0
    learn "$method-conv4-$ways" "$method" --ways "$ways" --network conv4
  done
done
