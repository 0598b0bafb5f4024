// Command karpenter is Karpenter's core as released, on a cloud provider that hands out nodes of this machine's API server.
//
// The provider is Karpenter's own kwok provider, corrected where it departs from the one for AWS:
//   - a new claim reports the capacity that NodeOverlays give its instance type (kwok reports the physical one, so a
//     second batch of pods would launch nodes again);
//   - a node registers without device resources, as a kubelet does before its device plugin has spoken;
//   - NodePools may refer to an EC2NodeClass, so manifests written for AWS need no translation.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/awslabs/operatorpkg/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"sigs.k8s.io/karpenter/kwok/apis/v1alpha1"
	kwok "sigs.k8s.io/karpenter/kwok/cloudprovider"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeoverlay"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator"
	"sigs.k8s.io/karpenter/pkg/operator/options"
)

// deviceDomain is the domain of every resource that a device plugin registers, and a kubelet does not.
const deviceDomain = "nvidia.com/"

// provider is kwok's provider with claims that report overlaid capacity.
type provider struct {
	*kwok.CloudProvider
	instanceTypes map[string]*cloudprovider.InstanceType
	overlays      *nodeoverlay.InstanceTypeStore
}

func (p provider) Create(ctx context.Context, claim *v1.NodeClaim) (*v1.NodeClaim, error) {
	created, err := p.CloudProvider.Create(ctx, claim)
	if err != nil {
		return nil, err
	}
	name := created.Labels[corev1.LabelInstanceTypeStable]
	instanceType, found := p.instanceTypes[name]
	if !found {
		return nil, fmt.Errorf("instance type %q is not in the instance types file", name)
	}
	if pool := claim.Labels[v1.NodePoolLabelKey]; pool != "" && options.FromContext(ctx).FeatureGates.NodeOverlay {
		if instanceType, err = p.overlays.Apply(pool, instanceType); err != nil {
			return nil, fmt.Errorf("applying node overlays, %w", err)
		}
	}
	created.Status.Capacity = instanceType.Capacity
	created.Status.Allocatable = instanceType.Allocatable()
	return created, nil
}

func (p provider) GetSupportedNodeClasses() []status.Object {
	return []status.Object{&EC2NodeClass{}, &v1alpha1.KWOKNodeClass{}}
}

// registrar is the client that kwok's provider registers nodes with.
type registrar struct{ client.Client }

func (r registrar) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	if node, ok := object.(*corev1.Node); ok {
		node.Status.Capacity = withoutDevices(node.Status.Capacity)
		node.Status.Allocatable = withoutDevices(node.Status.Allocatable)
	}
	return r.Client.Create(ctx, object, opts...)
}

// Get answers a KWOKNodeClass that does not exist from the EC2NodeClass of that name.
func (r registrar) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	err := r.Client.Get(ctx, key, object, opts...)
	class, ok := object.(*v1alpha1.KWOKNodeClass)
	if !ok || !errors.IsNotFound(err) {
		return err
	}
	ec2 := &EC2NodeClass{}
	if ec2Err := r.Client.Get(ctx, key, ec2); ec2Err != nil {
		return ec2Err
	}
	class.Name = ec2.Name
	class.Status.Conditions = ec2.Status.Conditions
	return nil
}

func withoutDevices(list corev1.ResourceList) corev1.ResourceList {
	kept := corev1.ResourceList{}
	for name, quantity := range list {
		if !strings.HasPrefix(string(name), deviceDomain) {
			kept[name] = quantity
		}
	}
	return kept
}

// announceReady creates the file named by READY_FILE once every cache is filled.
func announceReady(mgr manager.Manager) manager.RunnableFunc {
	return func(ctx context.Context) error {
		if path := os.Getenv("READY_FILE"); path != "" && mgr.GetCache().WaitForCacheSync(ctx) {
			return os.WriteFile(path, nil, 0o600)
		}
		return nil
	}
}

func main() {
	ctx, op := operator.NewOperator()
	instanceTypes, err := kwok.ConstructInstanceTypes(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	byName := map[string]*cloudprovider.InstanceType{}
	for _, instanceType := range instanceTypes {
		byName[instanceType.Name] = instanceType
	}
	physical := provider{
		CloudProvider: kwok.NewCloudProvider(ctx, registrar{op.GetClient()}, instanceTypes),
		instanceTypes: byName,
		overlays:      op.InstanceTypeStore,
	}
	overlaid := overlay.Decorate(physical, op.GetClient(), op.InstanceTypeStore)
	if err := op.Add(announceReady(op.Manager)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	op.WithControllers(ctx, controllers.NewControllers(
		ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder, overlaid, physical,
		state.NewCluster(op.Clock, op.GetClient(), overlaid), op.InstanceTypeStore,
	)...).Start(ctx)
}
