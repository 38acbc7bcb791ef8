package register

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// xlsx reads a workbook of OOXML row by row. It is our own because the import must know whether a cell holds a number
// or a text (an ID number in a numeric cell has lost its last digits), which streaming readers don't tell.
type xlsx struct {
	zip    *zip.Reader
	list   []xlsxSheet
	shared []string
}

type xlsxSheet struct{ name, file string }

func openXLSX(r io.ReaderAt, size int64) (*xlsx, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, unreadable(BrokenOff, err.Error())
	}
	x := &xlsx{zip: z}
	if err := x.readBook(); err != nil {
		return nil, err
	}
	if len(x.list) == 0 {
		return nil, unreadable(NoVisiblePage, "")
	}
	x.shared, err = x.readShared()
	return x, err
}

func (x *xlsx) sheets() []string {
	names := make([]string, len(x.list))
	for i, s := range x.list {
		names[i] = s.name
	}
	return names
}

// open gives a part of the file, bounded. nil: there is no such part.
func (x *xlsx) open(name string, limit int64) (io.ReadCloser, error) {
	for _, f := range x.zip.File {
		if !strings.EqualFold(strings.TrimPrefix(f.Name, "/"), name) {
			continue
		}
		if f.UncompressedSize64 > uint64(limit) {
			return nil, unreadable(UnpacksLarge, name)
		}
		part, err := f.Open()
		if err != nil {
			return nil, unreadable(BrokenOff, name+": "+err.Error())
		}
		return &boundedPart{ReadCloser: part, left: limit, name: name}, nil
	}
	return nil, nil
}

// boundedPart stops a zip that unpacks to more than it says.
type boundedPart struct {
	io.ReadCloser
	left int64
	name string
}

func (b *boundedPart) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, unreadable(UnpacksLarge, b.name)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// decode reads a small part whole.
func (x *xlsx) decode(name string, into any) error {
	part, err := x.open(name, 16<<20)
	if err != nil {
		return err
	}
	if part == nil {
		return unreadable(BrokenOff, name)
	}
	defer func() { _ = part.Close() }()
	text, err := io.ReadAll(part)
	if err != nil {
		return asUnreadable(err)
	}
	if err := xml.NewDecoder(bytes.NewReader(text)).Decode(into); err != nil {
		return unreadable(BrokenOff, name+": "+err.Error())
	}
	return nil
}

func asUnreadable(err error) error {
	if errors.Is(err, ErrUnreadable) {
		return err
	}
	return unreadable(BrokenOff, err.Error())
}

// readBook lists the visible sheets in order.
func (x *xlsx) readBook() error {
	var book struct {
		Sheets []struct {
			Name  string     `xml:"name,attr"`
			State string     `xml:"state,attr"`
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := x.decode("xl/workbook.xml", &book); err != nil {
		return err
	}
	var rels struct {
		List []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := x.decode("xl/_rels/workbook.xml.rels", &rels); err != nil {
		return err
	}
	files := map[string]string{}
	for _, r := range rels.List {
		if strings.HasPrefix(r.Target, "/") {
			files[r.ID] = strings.TrimPrefix(r.Target, "/")
		} else {
			files[r.ID] = path.Join("xl", r.Target)
		}
	}
	for _, s := range book.Sheets {
		if s.State == "hidden" || s.State == "veryHidden" {
			continue
		}
		for _, a := range s.Attrs {
			if a.Name.Local == "id" && files[a.Value] != "" {
				x.list = append(x.list, xlsxSheet{name: s.Name, file: files[a.Value]})
			}
		}
	}
	return nil
}

// readShared reads the texts that cells refer to by number.
func (x *xlsx) readShared() ([]string, error) {
	part, err := x.open("xl/sharedStrings.xml", maxTextBytes)
	if err != nil || part == nil {
		return nil, err
	}
	defer func() { _ = part.Close() }()
	var list []string
	d := xml.NewDecoder(part)
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, asUnreadable(err)
		}
		if start, ok := tok.(xml.StartElement); ok && start.Name.Local == "si" {
			text, err := richText(d)
			if err != nil {
				return nil, asUnreadable(err)
			}
			list = append(list, text)
		}
	}
}

// richText joins the <t> of runs up to the end of the open element; phonetic readings are left out.
func richText(d *xml.Decoder) (string, error) {
	var b strings.Builder
	depth, phonetic, inText := 1, 0, false
	for depth > 0 {
		tok, err := d.Token()
		if err != nil {
			return "", err
		}
		switch e := tok.(type) {
		case xml.StartElement:
			depth++
			inText = e.Name.Local == "t"
			if e.Name.Local == "rPh" {
				phonetic = depth
			}
		case xml.EndElement:
			if depth == phonetic {
				phonetic = 0
			}
			depth--
			inText = false
		case xml.CharData:
			if inText && phonetic == 0 && b.Len() < maxCellBytes {
				b.Write(e)
			}
		}
	}
	return b.String(), nil
}

// rows reads one sheet. Rows that the file leaves out between others are blank ones; blank rows behind the last one
// are not rows.
func (x *xlsx) rows(sheet int, visit func(line) (bool, error)) error {
	part, err := x.open(x.list[sheet].file, maxSheetBytes)
	if err != nil {
		return err
	}
	if part == nil {
		return unreadable(BrokenOff, x.list[sheet].name)
	}
	defer func() { _ = part.Close() }()
	r := rowReader{d: xml.NewDecoder(part), shared: x.shared}
	given := 0 // the last row handed over
	for {
		l, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return asUnreadable(err)
		}
		if l.blank() || l.number <= given {
			continue
		}
		for given++; given < l.number; given++ {
			if more, err := visit(line{number: given}); err != nil || !more {
				return err
			}
		}
		if more, err := visit(l); err != nil || !more {
			return err
		}
	}
}

// rowReader reads <row> after <row>.
type rowReader struct {
	d      *xml.Decoder
	shared []string
	last   int
}

const maxRowNumber = 1 << 20 // Excel's own limit

func (r *rowReader) next() (line, error) {
	for {
		tok, err := r.d.Token()
		if err != nil {
			return line{}, err
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "row" {
			continue
		}
		r.last++
		if n, err := strconv.Atoi(attr(start, "r")); err == nil && n > 0 && n <= maxRowNumber {
			r.last = n
		}
		cells, err := r.cells()
		return line{number: r.last, cells: cells}, err
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// cells reads up to </row>.
func (r *rowReader) cells() ([]cell, error) {
	var cells []cell
	for {
		tok, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		switch e := tok.(type) {
		case xml.EndElement:
			if e.Name.Local == "row" {
				return cells, nil
			}
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			at := len(cells)
			if i, ok := columnIndex(attr(e, "r")); ok {
				at = i
			}
			c, err := r.cell(attr(e, "t"))
			if err != nil {
				return nil, err
			}
			if at >= maxRowCells || c.text == "" {
				continue
			}
			for len(cells) <= at {
				cells = append(cells, cell{})
			}
			cells[at] = c
		}
	}
}

// cell reads up to </c>: <v> holds a number, a text or the number of a shared text, <is> a text.
func (r *rowReader) cell(kind string) (cell, error) {
	var value, inline string
	for {
		tok, err := r.d.Token()
		if err != nil {
			return cell{}, err
		}
		switch e := tok.(type) {
		case xml.EndElement:
			return r.value(kind, value, inline), nil
		case xml.StartElement:
			text, err := richTextOf(r.d, e)
			if err != nil {
				return cell{}, err
			}
			switch e.Name.Local {
			case "v":
				value = text
			case "is":
				inline = text
			}
		}
	}
}

// richTextOf reads the text of <v>, which stands bare, or of <is>, which stands in runs.
func richTextOf(d *xml.Decoder, e xml.StartElement) (string, error) {
	if e.Name.Local == "is" {
		return richText(d)
	}
	var b strings.Builder
	for depth := 1; depth > 0; {
		tok, err := d.Token()
		if err != nil {
			return "", err
		}
		switch e := tok.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if b.Len() < maxCellBytes {
				b.Write(e)
			}
		}
	}
	return b.String(), nil
}

func (r *rowReader) value(kind, value, inline string) cell {
	switch kind {
	case "s":
		if i, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && i >= 0 && i < len(r.shared) {
			return cell{text: r.shared[i]}
		}
		return cell{}
	case "inlineStr":
		return cell{text: inline}
	case "str", "b", "d":
		return cell{text: value}
	case "e": // #N/A and the like
		return cell{}
	}
	return cell{text: plainNumber(strings.TrimSpace(value)), numeric: value != ""}
}

// plainNumber writes 1.3800001234E10 as 13800001234; a whole number gets no decimals.
func plainNumber(text string) string {
	if !strings.ContainsAny(text, "eE.") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// columnIndex reads the letters of a reference such as AB12.
func columnIndex(ref string) (int, bool) {
	n := 0
	for i := range len(ref) {
		c := ref[i]
		if c < 'A' || c > 'Z' {
			return n - 1, i > 0
		}
		if n = n*26 + int(c-'A') + 1; n > maxRowCells*26 {
			return n, true
		}
	}
	return 0, false
}
