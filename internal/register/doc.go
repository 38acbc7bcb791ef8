// Package register is what we know of a person — people, households, cover, premiums, subsidies, benefits, placements — and of
// what is on offer and where: jobs, courses, fairs, schools, institutions, employers, and what an insurance pays back.
//
// It owns the ID number, the phone number and Guangdong's regions, the import of the spreadsheets that local
// governments keep, and the condition language of audiences with its two readings (SQL and Go). It knows no
// database and no page: readers and writers are interfaces that the store implements.
package register
