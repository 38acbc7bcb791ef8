package bot

import (
	"context"
	"errors"
	"net/http"

	"github.com/silenceper/wechat/v2/credential"
)

const tokenPath = "/cgi-bin/stable_token"

// TokenSource gives the account's access token. With Redis away each process asks for its own; stable_token gives all
// of them the same one.
// https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
type TokenSource struct {
	*shared
	wire   *wire
	secret string
}

var _ credential.AccessTokenContextHandle = (*TokenSource)(nil)

func newTokenSource(w *wire, o ClientOptions) *TokenSource {
	t := &TokenSource{shared: newShared("token", "lock", tokenPath, o), wire: w, secret: o.Secret}
	t.fetch = t.ask
	return t
}

// GetAccessToken gives the token without a bound on time but its own.
func (t *TokenSource) GetAccessToken() (string, error) {
	return t.GetAccessTokenContext(context.Background())
}

// GetAccessTokenContext gives the token. A caller that gives up doesn't end the fetch that others wait for.
func (t *TokenSource) GetAccessTokenContext(ctx context.Context) (string, error) { return t.get(ctx) }

// Invalidate drops a token that WeChat called bad, if it is still the one in use, here and in Redis.
func (t *TokenSource) Invalidate(ctx context.Context, bad string) { t.drop(ctx, bad) }

// ask asks WeChat. The secret travels in the body, never in an address.
func (t *TokenSource) ask(ctx context.Context) (token, error) {
	body, err := encodeJSON(map[string]any{
		"grant_type": "client_credential", "appid": t.appID, "secret": t.secret, "force_refresh": false,
	})
	if err != nil {
		return token{}, err
	}
	asked := t.now()
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if err := t.wire.do(ctx, http.MethodPost, tokenPath, nil, body, &answer); err != nil {
		return token{}, unsent(err)
	}
	if answer.Token == "" || answer.Seconds <= 0 {
		return token{}, &TransportError{Path: tokenPath, Status: http.StatusOK, Err: errors.New("the answer holds no token")}
	}
	return lent(answer.Token, asked, answer.Seconds), nil
}
