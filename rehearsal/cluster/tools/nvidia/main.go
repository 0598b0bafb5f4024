// Command plugin-config reads device plugin configs with the parser of the NVIDIA device plugin itself.
//
// Standard input is a JSON object of texts, name to config as a ConfigMap holds it. Standard output is a JSON object of
// the same names, each with either the parsed "config" or the "error" that the plugin would end with.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	spec "github.com/NVIDIA/k8s-device-plugin/api/config/v1"
	"github.com/urfave/cli/v2"
)

type result struct {
	Config   *spec.Config         `json:"config,omitempty"`
	Strategy spec.SharingStrategy `json:"strategy,omitempty"`
	Error    string               `json:"error,omitempty"`
}

func parse(text string) result {
	file, err := os.CreateTemp("", "plugin-config-*")
	if err != nil {
		return result{Error: err.Error()}
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(text)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return result{Error: err.Error()}
	}
	var config *spec.Config
	flags := []cli.Flag{&cli.StringFlag{Name: "config-file"}}
	app := &cli.App{Flags: flags, Writer: io.Discard, ErrWriter: io.Discard, Action: func(c *cli.Context) error {
		config, err = spec.NewConfig(c, flags)
		return err
	}}
	if err := app.Run([]string{"plugin-config", "--config-file", file.Name()}); err != nil {
		return result{Error: err.Error()}
	}
	spec.DisableResourceNamingInConfig(config)
	return result{Config: config, Strategy: config.Sharing.SharingStrategy()}
}

func main() {
	texts := map[string]string{}
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		fmt.Fprintln(os.Stderr, "plugin-config: standard input must be a JSON object of texts:", err)
		os.Exit(2)
	}
	results := map[string]result{}
	for name, text := range texts {
		results[name] = parse(text)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, "plugin-config:", err)
		os.Exit(1)
	}
}
