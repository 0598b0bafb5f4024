// Package aws holds the pin of Karpenter's AWS CRDs; nothing of it is built.
package aws

import _ "github.com/aws/karpenter-provider-aws/pkg/apis"
