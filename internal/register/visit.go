package register

// VisitResult is what came of a visit at somebody's door.
type VisitResult string

// The values of VisitResult. A person who was told counts as reached.
const (
	VisitTold   VisitResult = "told"
	VisitAbsent VisitResult = "absent" // nobody at home
	VisitMoved  VisitResult = "moved"
	VisitWrong  VisitResult = "wrong" // the register is wrong about them
)

// VisitResults lists them.
func VisitResults() []VisitResult {
	return []VisitResult{VisitTold, VisitAbsent, VisitMoved, VisitWrong}
}
