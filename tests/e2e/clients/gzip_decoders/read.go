// What Go's decoders make of gzip answers.
// Arguments: base URL, names of answers. Out, a line each: decoder, answer, SHA-256 of what was decoded or "refused".
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
)

// transparent lets net/http ask for gzip and decode it, as it does unless told otherwise.
func transparent(baseURL, name string) (string, error) {
	response, err := http.Get(baseURL + "/answer/" + name)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if !response.Uncompressed {
		panic("net/http did not decode the answer")
	}
	return digest(response.Body)
}

func byHand(baseURL, name string) (string, error) {
	response, err := http.Get(baseURL + "/file/" + name)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	decoded, err := gzip.NewReader(response.Body)
	if err != nil {
		return "", err
	}
	return digest(decoded)
}

func digest(from io.Reader) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, from); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}

func main() {
	decoders := map[string]func(baseURL, name string) (string, error){"go-http": transparent, "go-gzip": byHand}
	for decoder, decode := range decoders {
		for _, name := range os.Args[2:] {
			decoded, err := decode(os.Args[1], name)
			if err != nil {
				decoded = "refused"
			}
			fmt.Println(decoder, name, decoded)
		}
	}
}
