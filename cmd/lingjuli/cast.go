package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store"
)

// castSize is how many people the phones page looks through for a name; anybody is found by their whole number.
const castSize = 2000

// cast lends the fictional people of the database to the phones page.
type cast struct{ store *store.Store }

// Search looks for words in names and phones; names are sealed in the database, so the first people are opened.
func (c cast) Search(ctx context.Context, words string, limit int) ([]sandbox.Person, error) {
	words = strings.TrimSpace(words)
	list, err := c.store.ListPeople(ctx, register.Scope{}, 0, castSize)
	if err != nil {
		return nil, err
	}
	var found []sandbox.Person
	for _, p := range list {
		if len(found) == limit {
			break
		}
		if words == "" && p.Phone == "" {
			continue // the first ones shown should have a phone to pick up
		}
		if strings.Contains(p.Name, words) || strings.Contains(string(p.Phone), words) || string(p.IDNumber) == words {
			found = append(found, actor(p))
		}
	}
	return found, nil
}

// Find finds one by the id that Search gave.
func (c cast) Find(ctx context.Context, id string) (sandbox.Person, bool, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return sandbox.Person{}, false, nil //nolint:nilerr // an address typed by hand finds nobody
	}
	list, err := c.store.PeopleByID(ctx, register.Scope{}, []int64{n})
	if err != nil || len(list) == 0 {
		return sandbox.Person{}, false, err
	}
	who := actor(list[0])
	who.Large, err = c.store.Elder(ctx, register.OpenID(who.OpenID))
	return who, true, err
}

func actor(p register.Person) sandbox.Person {
	phone := ""
	if p.Phone.IsMobile() {
		phone = string(p.Phone)
	}
	return sandbox.Person{
		ID: strconv.FormatInt(p.ID, 10), Name: p.Name, Phone: phone, OpenID: fmt.Sprintf("o5a0d0b0c-demo-%014d", p.ID),
		IDNumber: string(p.IDNumber), Note: strings.TrimSpace(p.HeadRelation + " " + p.BirthDate),
	}
}
