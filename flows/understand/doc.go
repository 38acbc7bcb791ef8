// Package understand says what a person means: one utterance in, one intent of a fixed list out, with a score.
//
// It works in the process, offline, in well under a millisecond for an ordinary utterance. What it knows are the
// texts beside the code, written for this project: examples by intent and variant, words of the field by notion,
// words of the dialects. At start it learns a linear model of them; there is no other state.
//
// An utterance is first written the plain way (width, Traditional, dialect words, numerals, emoji), then seen at
// three levels: its characters, its syllables with those that speech and typing confuse made equal, and the notions
// in it. out_of_scope is an intent like the others. A score below Sure calls for a question, not a guess.
package understand
