// Package flows is the conversation engine, pure: Step(session, input) gives the next session and effects, with no
// clock, no I/O and no logging inside.
//
// Its nouns: a Definition is one flow, read from definitions/*.yaml; a Session is where one person stands, versioned
// JSON; an Input is what they said, or what the host found out; an Effect is what the host shall do. Look-ups and
// deeds are effects too: the engine stops at them, the host performs them and feeds the facts back.
//
// Its rules: everything is checked when the book is loaded; a step is bounded; the global words (back, main menu,
// repeat, a person, more, opt-out) are understood in every step; two tries not understood lead to numbers and to a
// person; nobody is ever met with silence.
//
// It refuses to know platforms, pages, SQL, and the words of its answers: those are keys into package locales.
package flows
