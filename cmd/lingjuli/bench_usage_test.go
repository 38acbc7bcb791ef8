package main

import (
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that looks beside the store
	_ "modernc.org/sqlite"             // the same for a file
)

// usage is what was spent up to a moment.
type usage struct {
	at            time.Time
	process       time.Duration // CPU of this process: server, stand-ins, generator
	database      time.Duration // CPU of the server processes that hold our connections; 0 where it is in this process
	redis         time.Duration
	allocs, bytes float64
}

func (u usage) since(from usage) usage {
	return usage{
		process: u.process - from.process, database: u.database - from.database, redis: u.redis - from.redis,
		allocs: u.allocs - from.allocs, bytes: u.bytes - from.bytes,
	}
}

func (r *bench) usage() usage {
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		r.b.Fatal(err)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return usage{
		at: time.Now(), process: time.Duration(self.Utime.Nano() + self.Stime.Nano()), database: r.databaseCPU(), redis: r.redisCPU(),
		allocs: float64(mem.Mallocs), bytes: float64(mem.TotalAlloc),
	}
}

// databaseCPU sums the CPU of PostgreSQL's processes that serve our database, where they run on this machine.
func (r *bench) databaseCPU() time.Duration {
	if r.cfg.sqlitePath() != "" {
		return 0
	}
	db := r.openDatabase()
	defer db.Close()
	rows, err := db.QueryContext(r.b.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database()`)
	if err != nil {
		r.b.Fatal(err)
	}
	defer rows.Close()
	var sum time.Duration
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			r.b.Fatal(err)
		}
		sum += processCPU(pid)
	}
	if err := rows.Err(); err != nil {
		r.b.Fatal(err)
	}
	return sum
}

// processCPU is user and system time of a process as /proc has it, in ticks of 10 ms; 0 where there is no such file.
func processCPU(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const user, system, tick = 11, 12, 10 * time.Millisecond
	var sum time.Duration
	for _, i := range []int{user, system} {
		if n, err := strconv.Atoi(fields[i]); err == nil {
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

func (r *bench) redisCPU() time.Duration {
	if r.cfg.RedisURL == "embedded" {
		return 0
	}
	info, err := r.server.redis.Info(r.b.Context(), "cpu").Result()
	if err != nil {
		r.b.Fatal(err)
	}
	var sum time.Duration
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				r.b.Fatal(err)
			}
			sum += time.Duration(seconds * float64(time.Second))
		}
	}
	return sum
}

// openDatabase opens the measured database beside the store, with the store's own durability.
func (r *bench) openDatabase() *sql.DB {
	r.b.Helper()
	driver, source := "pgx", r.cfg.DatabaseURL
	if path := r.cfg.sqlitePath(); path != "" {
		driver = "sqlite"
		source = "file:" + path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-16000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		r.b.Fatal(err)
	}
	return db
}

// micros is a time per unit in microseconds.
func micros(d time.Duration, units int) float64 {
	return float64(d.Nanoseconds()) / 1e3 / float64(units)
}

// median sorts its copy.
func median(list []float64) float64 { return percentile(list, 50) }
