package lingjuli_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// These tests read docker-compose.yml as docker compose does; no engine is needed, and none shows that the images start.

// filled is .env.example with every line filled in, each with a value of its own.
func filled(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, name := range exampleNames(t) {
		env[name] = "value-of-" + strings.ToLower(name)
	}
	return env
}

var assignment = regexp.MustCompile(`(?m)^([A-Z0-9_]+)=(.*)$`)

func exampleNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, m := range assignment.FindAllStringSubmatch(read(t, ".env.example"), -1) {
		if m[2] != "" {
			t.Errorf(".env.example gives %s a value; whoever copies it would go on with it", m[1])
		}
		names = append(names, m[1])
	}
	return names
}

func compose(t *testing.T, env map[string]string) (*types.Project, error) {
	t.Helper()
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  t.TempDir(),
		ConfigFiles: []types.ConfigFile{{Filename: "docker-compose.yml", Content: []byte(read(t, "docker-compose.yml"))}},
		Environment: env,
	}, func(o *loader.Options) {
		o.SetProjectName("lingjuli", true)
		o.SkipResolveEnvironment = true // .env itself is nobody's business here
	})
}

func project(t *testing.T) *types.Project {
	t.Helper()
	p, err := compose(t, filled(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeHasTheServicesOfProduction(t *testing.T) {
	p := project(t)
	got := slices.Sorted(maps.Keys(p.Services))
	if want := []string{"migrate", "postgres", "redis", "web", "worker"}; !slices.Equal(got, want) {
		t.Fatalf("services %v, want %v", got, want)
	}
	if got := strings.Join(p.Services["web"].Command, " "); got != "serve --roles web" {
		t.Errorf("web runs %q", got)
	}
	if got := strings.Join(p.Services["worker"].Command, " "); got != "serve --roles worker" {
		t.Errorf("worker runs %q", got)
	}
}

func TestComposeKeepsWhatMustBeKept(t *testing.T) {
	p := project(t)
	for service, target := range map[string]string{"postgres": "/var/lib/postgresql/data", "redis": "/data"} {
		kept := slices.ContainsFunc(p.Services[service].Volumes, func(v types.ServiceVolumeConfig) bool {
			_, named := p.Volumes[v.Source]
			return named && v.Type == types.VolumeTypeVolume && v.Target == target
		})
		if !kept {
			t.Errorf("%s keeps nothing in %s", service, target)
		}
	}
	redis := strings.Join(p.Services["redis"].Command, " ")
	for _, want := range []string{"--appendonly yes", "--maxmemory-policy noeviction", "--requirepass"} {
		if !strings.Contains(redis, want) {
			t.Errorf("redis runs without %s: %s", want, redis)
		}
	}
}

func TestComposeStartsInOrderAndWatchesItsParts(t *testing.T) {
	p := project(t)
	for _, name := range []string{"web", "worker", "postgres", "redis"} {
		s := p.Services[name]
		if s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		if s.Restart != types.RestartPolicyUnlessStopped {
			t.Errorf("%s is restarted %q", name, s.Restart)
		}
	}
	for _, name := range []string{"web", "worker"} {
		for on, condition := range map[string]string{
			"migrate": types.ServiceConditionCompletedSuccessfully, "postgres": types.ServiceConditionHealthy, "redis": types.ServiceConditionHealthy,
		} {
			if got := p.Services[name].DependsOn[on].Condition; got != condition {
				t.Errorf("%s waits for %s to be %q, want %q", name, on, got, condition)
			}
		}
	}
}

func TestComposeOpensOneDoorAndOnlyToThisMachine(t *testing.T) {
	for name, s := range project(t).Services {
		for _, port := range s.Ports {
			if name != "web" || port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s on %q", name, port.Published, port.HostIP)
			}
		}
		if s.Privileged {
			t.Errorf("%s is privileged", name)
		}
	}
}

// A secret that is not set stops the start; one with a default would be the same everywhere.
func TestComposeHasNoPasswordOfItsOwn(t *testing.T) {
	text := read(t, "docker-compose.yml")
	for _, name := range []string{"POSTGRES_PASSWORD", "REDIS_PASSWORD", "LINGJULI_DATA_KEY"} {
		env := filled(t)
		delete(env, name)
		if _, err := compose(t, env); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v, want an error that names it", name, err)
		}
	}
	names := exampleNames(t)
	for _, m := range regexp.MustCompile(`\$\{([A-Z0-9_]+)(:?[-?+]?)([^}]*)\}`).FindAllStringSubmatch(text, -1) {
		secret := regexp.MustCompile(`PASSWORD|KEY|SECRET|TOKEN`).MatchString(m[1])
		if secret && m[2] != ":?" {
			t.Errorf("${%s%s%s} has a default or may be empty", m[1], m[2], m[3])
		}
		if secret && !slices.Contains(names, m[1]) {
			t.Errorf("%s is not in .env.example", m[1])
		}
	}
	for name, s := range project(t).Services {
		for variable, value := range s.Environment {
			if strings.Contains(variable, "PASSWORD") && (value == nil || !strings.HasPrefix(*value, "value-of-")) {
				t.Errorf("%s: %s does not come from .env", name, variable)
			}
		}
	}
}

func TestTheImageIsStaticAndRunsAsNobody(t *testing.T) {
	text := read(t, "Dockerfile")
	for want, why := range map[string]string{
		`CGO_ENABLED=0`:        "a static binary",
		`(?m)^USER [1-9]`:      "a user that is not root, by number so that an engine can tell",
		`(?ms)^FROM .*^FROM `:  "several stages",
		`(?m)^HEALTHCHECK `:    "a health check",
		`(?m)^ENTRYPOINT \["/`: "an entry point that gets the signals itself",
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("Dockerfile lacks %s (%s)", why, want)
		}
	}
	ignored := strings.Fields(read(t, ".dockerignore"))
	for _, path := range []string{".git", ".env", "lingjuli-demo", "*.db"} {
		if !slices.Contains(ignored, path) {
			t.Errorf(".dockerignore lets %s into the image's build", path)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
