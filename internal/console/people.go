package console

import (
	"context"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// People reads the register. The scope is part of every question: somebody outside it is not there.
type People interface {
	// ListPeople lists people by id, from the one after an id on.
	ListPeople(ctx context.Context, scope register.Scope, after int64, limit int) ([]register.Person, error)
	// PeopleByID lists those of the ids that are within the scope.
	PeopleByID(ctx context.Context, scope register.Scope, ids []int64) ([]register.Person, error)
	// FindPeople finds by exactly one of name, ID number and phone; the two others are empty.
	FindPeople(ctx context.Context, scope register.Scope, name string, id register.IDNumber, phone register.Phone, limit int) ([]register.Person, error)
	// PersonRecord is all that is on file of one person. register.ErrNotFound.
	PersonRecord(ctx context.Context, scope register.Scope, id int64) (register.Record, error)
	// PersonMessages lists what was sent to a person, newest first.
	PersonMessages(ctx context.Context, scope register.Scope, id int64, limit int) ([]notify.Received, error)
}

// Regions names places.
type Regions interface {
	// RegionPath leads from the province down to a region.
	RegionPath(ctx context.Context, code string) ([]register.Region, error)
	// RegionChildren lists the regions directly below one.
	RegionChildren(ctx context.Context, code string) ([]register.Region, error)
}

// Counts gives the figures of a region.
type Counts interface {
	PeopleFigures(ctx context.Context, scope register.Scope) (register.Figures, error)
}

// record finds the person in the address within the visitor's region.
func (v *visit) record() (register.Record, error) {
	id, err := v.pathID()
	if err != nil {
		return register.Record{}, err
	}
	return v.People.PersonRecord(v.ctx(), v.who.Scope(), id)
}
