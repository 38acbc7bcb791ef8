package main

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// redisOptions reads a Redis URL of any of the four kinds for our own client.
// redis-sentinel://[:password@]host:port[,host:port]/master?db=0 and redis-cluster://[:password@]host:port[,host:port].
func redisOptions(text string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the redis URL is not understood")
	}
	switch u.Scheme {
	case "redis", "rediss":
		one, err := redis.ParseURL(text)
		if err != nil {
			return nil, errors.New("the redis URL is not understood")
		}
		return &redis.UniversalOptions{
			Addrs: []string{one.Addr}, DB: one.DB, Username: one.Username, Password: one.Password,
			TLSConfig: one.TLSConfig, DialTimeout: 2 * time.Second, ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second,
		}, nil
	case "redis-sentinel", "redis-cluster":
		password, _ := u.User.Password()
		o := &redis.UniversalOptions{Addrs: strings.Split(u.Host, ","), Username: u.User.Username(), Password: password}
		if u.Scheme == "redis-cluster" {
			o.IsClusterMode = true
			return o, nil
		}
		o.MasterName = strings.Trim(u.Path, "/")
		if o.MasterName == "" {
			return nil, errors.New("a redis-sentinel URL names its master: redis-sentinel://host:26379/mymaster")
		}
		return o, nil
	}
	return nil, errors.New("the redis URL is not understood")
}

// queueOptions is the same connection as asynq wants it.
func queueOptions(o *redis.UniversalOptions) asynq.RedisConnOpt {
	switch {
	case o.IsClusterMode:
		return asynq.RedisClusterClientOpt{Addrs: o.Addrs, Username: o.Username, Password: o.Password}
	case o.MasterName != "":
		return asynq.RedisFailoverClientOpt{MasterName: o.MasterName, SentinelAddrs: o.Addrs, Username: o.Username, Password: o.Password, DB: o.DB}
	}
	return asynq.RedisClientOpt{
		Addr: o.Addrs[0], Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
	}
}
