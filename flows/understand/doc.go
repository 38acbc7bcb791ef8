// Package understand says what a person means: one utterance in, one intent of a fixed list out, with a score.
//
// It works in the process, offline, in well under a millisecond for an ordinary utterance. What it knows are the
// texts beside the code, written for this project: examples by intent and variant, words of the field by notion,
// words of the dialects and of English. A linear model is learnt of them beforehand, in four ways, by go generate, and
// carried in the program.
//
// An utterance is first written the plain way (width, Traditional, dialect and English words, numerals, emoji), then
// seen on five levels: its characters, the characters as they came, its syllables with those that speech and typing
// confuse made equal, its words in Latin letters, and the notions in it. out_of_scope is an intent like the others. A
// score below Sure calls for a question, not a guess.
package understand
