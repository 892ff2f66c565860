// Runs statements through the Go driver that the Snowflake provider is built with, in one session.
//
// Argument: the DSN. Standard input: a JSON list of statements. Standard output: a JSON list, for each its rows, every value
// as the text of what the driver gives (null for NULL), or the text of its error.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	_ "github.com/snowflakedb/gosnowflake"
)

func main() {
	var statements []string
	if err := json.NewDecoder(os.Stdin).Decode(&statements); err != nil {
		log.Fatal(err)
	}
	db, err := sql.Open("snowflake", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // one session: what USE and BEGIN say holds for the next statement
	answers := make([]any, 0, len(statements))
	for _, statement := range statements {
		rows, err := run(db, statement)
		if err != nil {
			answers = append(answers, err.Error())
		} else {
			answers = append(answers, rows)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func run(db *sql.DB, statement string) ([][]any, error) {
	rows, err := db.Query(statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	found := [][]any{}
	for rows.Next() {
		values := make([]any, len(columns))
		places := make([]any, len(columns))
		for at := range values {
			places[at] = &values[at]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		for at, value := range values {
			values[at] = text(value)
		}
		found = append(found, values)
	}
	return found, rows.Err()
}

func text(value any) any {
	switch one := value.(type) {
	case nil:
		return nil
	case time.Time:
		return one.UTC().Format(time.RFC3339Nano)
	case []byte:
		return string(one)
	default:
		return fmt.Sprint(one)
	}
}
