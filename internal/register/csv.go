package register

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// csvFile reads comma-separated text: UTF-8 with or without a mark, GBK, or the UTF-16 that Excel writes.
type csvFile struct {
	r     io.ReaderAt
	size  int64
	gbk   bool
	utf16 bool
	comma rune
}

func openCSV(r io.ReaderAt, size int64) (*csvFile, error) {
	f := &csvFile{r: r, size: size}
	head := make([]byte, 64<<10)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(BrokenOff, err.Error())
	}
	head = head[:n]
	f.utf16 = bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return nil, unreadable(IsEmpty, "")
	case !f.utf16 && bytes.IndexByte(head, 0) >= 0:
		return nil, unreadable(NotASheet, "")
	}
	if !f.utf16 {
		valid, err := validUTF8(f.raw())
		if err != nil {
			return nil, unreadable(BrokenOff, err.Error())
		}
		f.gbk = !valid
	}
	f.comma, err = f.separator()
	return f, err
}

func (f *csvFile) raw() io.Reader { return io.NewSectionReader(f.r, 0, f.size) }

// text is the file in UTF-8 without a mark.
func (f *csvFile) text() io.Reader {
	switch {
	case f.utf16:
		return transform.NewReader(f.raw(), unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case f.gbk:
		return transform.NewReader(f.raw(), simplifiedchinese.GB18030.NewDecoder())
	}
	return transform.NewReader(f.raw(), unicode.UTF8BOM.NewDecoder())
}

// validUTF8 reads all of it: the first letter that is not ASCII may stand far down.
func validUTF8(r io.Reader) (bool, error) {
	buf := make([]byte, 0, 64<<10)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		end := len(buf)
		if err == nil { // a letter may be cut at the end
			for end > 0 && len(buf)-end < utf8.UTFMax && !utf8.RuneStart(buf[end-1]) {
				end--
			}
			end = max(end-1, 0)
		}
		if !utf8.Valid(buf[:end]) {
			return false, nil
		}
		buf = append(buf[:0], buf[end:]...)
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case len(buf) > utf8.UTFMax:
			return false, nil
		}
	}
}

// separator is what stands most often in the first lines: a comma, a tab or a semicolon.
func (f *csvFile) separator() (rune, error) {
	head := make([]byte, 16<<10)
	n, err := io.ReadFull(f.text(), head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, unreadable(BrokenOff, err.Error())
	}
	best, most := ',', strings.Count(string(head[:n]), ",")
	for _, c := range "\t;" {
		if k := strings.Count(string(head[:n]), string(c)); k > most {
			best, most = c, k
		}
	}
	return best, nil
}

func (f *csvFile) sheets() []string { return []string{""} }

// rows numbers records from 1 as a spreadsheet shows them: an empty line is a row of its own, a line break within
// quotes is not.
func (f *csvFile) rows(_ int, visit func(line) (bool, error)) error {
	r := csv.NewReader(bufio.NewReaderSize(f.text(), 64<<10))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = f.comma, -1, true, true
	number, nextLine := 0, 1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(BrokenOff, err.Error())
		}
		at, _ := r.FieldPos(0)
		for ; nextLine < at; nextLine++ {
			number++
			if more, err := visit(line{number: number}); err != nil || !more {
				return err
			}
		}
		number++
		l := line{number: number, cells: make([]cell, min(len(record), maxRowCells))}
		nextLine = at + 1
		for i := range l.cells {
			l.cells[i].text = strings.Clone(record[i][:min(len(record[i]), maxCellBytes)])
			nextLine += strings.Count(record[i], "\n")
		}
		if more, err := visit(l); err != nil || !more {
			return err
		}
	}
}

// openWorkbook tells the formats apart by their first bytes; names lie.
func openWorkbook(r io.ReaderAt, size int64) (workbook, error) {
	if size > maxFileBytes {
		return nil, unreadable(TooLarge, strconv.Itoa(maxFileBytes>>20))
	}
	head := make([]byte, 512)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(BrokenOff, err.Error())
	}
	head = head[:n]
	lower := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \r\n\t"))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return openXLSX(r, size)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, unreadable(OldWorkbook, "")
	case bytes.HasPrefix(lower, []byte("<")):
		return nil, unreadable(WebPage, "")
	}
	return openCSV(r, size)
}
