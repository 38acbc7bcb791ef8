package turn

import "github.com/lingjuli/lingjuli/internal/register"

// What conversations read of the register. Each method is one look into the database, made when a flow asks for it.

// Files is what is kept of people. Rows of several people carry whose they are.
type Files interface {
	// Person is one person; register.ErrNotFound.
	Person(id int64) (register.Person, error)
	Covers(people ...int64) ([]register.Cover, error)
	Premiums(people ...int64) ([]register.Premium, error)
	// Subsidies are a person's applications, the newest first.
	Subsidies(people ...int64) ([]register.Subsidy, error)
	// Work is what is on file of a person's work and of what they are paid.
	Work(personID int64) (register.Work, error)
}

// Offers is what is on offer.
type Offers interface {
	Jobs(register.JobSearch) (register.JobPage, error)
	// Job is one posting that is still open; register.ErrNotFound.
	Job(id int64) (register.JobOffer, error)
	Courses(register.CourseSearch) (register.CoursePage, error)
	// Course is one course, begun or not; register.ErrNotFound.
	Course(id int64) (register.CourseOffer, error)
	Fairs(register.FairSearch) ([]register.Fair, error)
}

// Guides is what is where.
type Guides interface {
	// Schools lists the schools, those paired with the county first.
	Schools(county string) ([]register.School, error)
	// Pairs lists who helps a county.
	Pairs(county string) ([]register.Pair, error)
	Institutions(register.InstitutionSearch) ([]register.Institution, error)
	Tiers(register.TierSearch) ([]register.Tier, error)
	// Employer finds an employer by its whole name.
	Employer(name string) (e register.Employer, found bool, err error)
}
