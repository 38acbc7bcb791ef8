package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that looks beside the store
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the same for a file
)

// usage is what was spent up to a moment.
type usage struct {
	at            time.Time
	process       time.Duration // CPU of this process; where it is the server's own, of server, stand-ins and generator
	product       time.Duration // CPU of the serving processes, where they are processes of their own
	database      time.Duration // CPU of the database server and all its processes; 0 where it is in the process that serves
	redis         time.Duration
	standIn       time.Duration // CPU of the stand-in, where it is a process of its own
	allocs, bytes float64       // of this process
}

func (u usage) since(from usage) usage {
	return usage{
		process: u.process - from.process, product: u.product - from.product, database: u.database - from.database,
		redis: u.redis - from.redis, standIn: u.standIn - from.standIn, allocs: u.allocs - from.allocs, bytes: u.bytes - from.bytes,
	}
}

// usageHere is what this process and the services have spent.
func usageHere(b *testing.B, cfg config) usage {
	b.Helper()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		b.Fatal(err)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return usage{
		at: time.Now(), process: time.Duration(self.Utime.Nano() + self.Stime.Nano()), database: databaseCPU(b, cfg), redis: redisCPU(b, cfg),
		allocs: float64(mem.Mallocs), bytes: float64(mem.TotalAlloc),
	}
}

// databaseCPU is what PostgreSQL has spent, where it runs on this machine: its first process, those it has now, and
// those that ended. Whatever else the server does is in it, so it means something on a server of our own alone.
func databaseCPU(b *testing.B, cfg config) time.Duration {
	b.Helper()
	if cfg.sqlitePath() != "" {
		return 0
	}
	db := openDatabase(b, cfg)
	defer db.Close()
	var backend int
	if err := db.QueryRowContext(b.Context(), `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		b.Fatal(err)
	}
	_, first := processStat(backend)
	sum, _ := processStat(first)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	if err != nil {
		return 0 // another machine
	}
	for _, text := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(text); err == nil {
			sum += processCPU(pid)
		}
	}
	return sum
}

// processCPU is user and system time of a process and of its children that ended, in ticks of 10 ms; 0 where there is
// no such process.
func processCPU(pid int) time.Duration {
	sum, _ := processStat(pid)
	return sum
}

// processStat reads a process's CPU and its parent from /proc.
func processStat(pid int) (cpu time.Duration, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	number := func(i int) int {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			return 0
		}
		return n
	}
	const tick = 10 * time.Millisecond
	for i := 11; i <= 14; i++ { // utime, stime, and the same of children that ended
		cpu += time.Duration(number(i)) * tick
	}
	return cpu, number(1)
}

// machineCPU is what all processes of this machine have spent since it started; 0 where it can't be read.
func machineCPU() (sum time.Duration) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(first) {
		if i == 0 || i == 4 || i == 5 || i > 7 { // "cpu", idle, waiting for a disk; guests are in user time
			continue
		}
		n, _ := strconv.Atoi(field)
		const tick = 10 * time.Millisecond
		sum += time.Duration(n) * tick
	}
	return sum
}

// peakMemory is the most that a process has held in memory at once, in MiB.
func peakMemory(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

func redisCPU(b *testing.B, cfg config) time.Duration {
	b.Helper()
	if cfg.embedded() {
		return 0
	}
	client := openRedis(b, cfg.RedisURL)
	defer client.Close()
	info, err := client.Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	var sum time.Duration
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if slices.Contains([]string{"used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children"}, name) {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(seconds * float64(time.Second))
		}
	}
	return sum
}

func openRedis(b *testing.B, address string) *redis.Client {
	b.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		b.Fatal(err)
	}
	return redis.NewClient(options)
}

// emptyRedis takes away what another run has left.
func emptyRedis(b *testing.B, address string) {
	b.Helper()
	if address == "embedded" {
		return
	}
	client := openRedis(b, address)
	defer client.Close()
	if err := client.FlushDB(b.Context()).Err(); err != nil {
		b.Fatal(err)
	}
}

// openDatabase opens the measured database beside the store, with the store's own durability.
func openDatabase(b *testing.B, cfg config) *sql.DB {
	b.Helper()
	driver, source := "pgx", cfg.DatabaseURL
	if path := cfg.sqlitePath(); path != "" {
		driver = "sqlite"
		source = "file:" + path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-16000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// rest lets the database write down what it still holds in memory, so that no measurement pays for what was before it.
func rest(ctx context.Context, b *testing.B, cfg config) {
	b.Helper()
	db := openDatabase(b, cfg)
	defer db.Close()
	statement := "CHECKPOINT"
	if cfg.sqlitePath() != "" {
		statement = "PRAGMA wal_checkpoint(TRUNCATE)"
	}
	if _, err := db.ExecContext(ctx, statement); err != nil {
		b.Fatal(err)
	}
}

// micros is a time per unit in microseconds.
func micros(d time.Duration, units int) float64 {
	return float64(d.Nanoseconds()) / 1e3 / float64(units)
}
