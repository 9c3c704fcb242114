using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Local;

namespace Skep.Network;

/// <summary>
/// What this node is to be, as last told: the plan, the sandboxes, its own choices and what it found out. Each change has a number, by
/// which callers wait for the pass that has seen it (<see cref="PassGate"/>).
/// </summary>
/// <param name="options">The node's place.</param>
/// <param name="basis">What this node is; the rest of its facts follows from its choices.</param>
/// <param name="kept">What the node keeps over a restart.</param>
/// <param name="changed">Asks for a pass.</param>
internal sealed class NodeWishes(NodeNetworkOptions options, NodeFacts basis, StateKeeper kept, Action changed)
{
    private readonly Lock _gate = new();

    /// <summary>Told of a container whose host ports are restricted otherwise from now on, before a pass is asked for.</summary>
    public Action<LocalSandbox> AccessChanged { get; init; } = _ => { };

    private readonly SilentBackends _silent = new();
    private LocalState _local = kept.State;
    private NodePlan? _plan = kept.Plan;
    private NodePlan? _submitted;
    private NodePlan? _computed;
    private PlanDelta? _delta;
    private BackendHealth _health = BackendHealth.Unknown;
    private Underlay _underlay = new(basis.UnderlayMtu);
    private long _number;
    private bool _sweep;
    private bool _leaving;

    /// <summary>Whether there is a swarm to have a network for: a plan is known and not given up.</summary>
    public bool HasPlan => _plan is not null && !_leaving;

    /// <summary>This node's own choices.</summary>
    public LocalState Local => _local;

    /// <summary>A newer plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="delta">What may differ in it from the plan that was submitted before; null when that is not known.</param>
    /// <param name="remembered">What is known of backends when the first plan comes.</param>
    public void Submit(NodePlan plan, PlanDelta? delta, Func<BackendHealth> remembered)
    {
        var own = plan.NodeId == options.NodeId ? plan : plan with { NodeId = options.NodeId };
        Change(local => local, () =>
        {
            var first = _plan is null;
            // The pending change is one of the plan that was computed last; before that, and for who knows another plan, everything may differ.
            var known = delta is not null && ReferenceEquals(delta.Before, _submitted) ? delta : null;
            _delta = first || known is null ? null : ReferenceEquals(_plan, _computed) ? known : PlanDelta.Join(_delta, known.Before, known);
            (_plan, _submitted, _leaving) = (own, plan, false);
            _health = first ? remembered() : _health;
        });
    }

    /// <summary>A plan from before the daemon's last stop. Only here do revisions count: what managers say holds, also when theirs begin anew.</summary>
    public void Resume(NodePlan plan, Func<BackendHealth> remembered)
    {
        lock (_gate)
        {
            if (_plan is null || _plan.Revision < plan.Revision)
            {
                Submit(kept.WithDrained(plan), delta: null, remembered);
            }
        }
    }

    /// <summary>A wish for a container's place; its host ports are taken at once, or the wish is refused.</summary>
    public long Add(SandboxRequest request, HostPortReservations ports)
    {
        lock (_gate)
        {
            var known = _local.Sandboxes.GetValueOrDefault(request.ContainerId);
            var taken = known is not null && SandboxRules.SamePorts(known.Request, request)
                ? known.HostPorts
                : ports.Take(request.ContainerId, request.HostPorts, _plan?.AccessOf(request.ServiceId));
            return Change(local => local.WithSandbox(request, taken)) ?? _number;
        }
    }

    /// <summary>Null when there was no such container.</summary>
    public long? Remove(string containerId) => Change(local => local.WithoutSandbox(containerId));

    /// <summary>Nothing else is wished; the pass to come looks again.</summary>
    public long Again() => Change(local => local, () => { })!.Value;

    /// <summary>The pass to come removes whatever an earlier daemon left, too.</summary>
    public long Sweep() => Change(local => local, () => _sweep = true)!.Value;

    /// <summary>The node has left the swarm: nothing is wished.</summary>
    public long Leave() => Change(local => local with { Sandboxes = local.Sandboxes.Clear() }, () => (_plan, _leaving) = (NodePlan.Empty, true))!.Value;

    public void Renew(string cipherGeneration) => Change(local => local with { CipherGeneration = cipherGeneration });

    /// <summary>The host has IPv6 since its network came up; a subnet that was chosen before stays.</summary>
    public void Begin6(System.Net.IPNetwork subnet) => Change(local => local.GatewaySubnet6.Length > 0 ? local : local with { GatewaySubnet6 = subnet.ToString() });

    /// <summary>Takes in what this node found out about backends; null when that is nothing new.</summary>
    public long? Learn(Func<BackendHealth, BackendHealth> learn)
    {
        lock (_gate)
        {
            var next = learn(_health);
            return ReferenceEquals(next, _health) ? null : Change(local => local, () => _health = next);
        }
    }

    /// <summary>Takes in what the ways to the other nodes carry.</summary>
    public void Learn(Func<Underlay, Underlay> learn)
    {
        lock (_gate)
        {
            var next = learn(_underlay);
            if (!ReferenceEquals(next, _underlay))
            {
                Change(local => local, () => _underlay = next);
            }
        }
    }

    /// <summary>Reads what is wished now.</summary>
    public T View<T>(Func<NodeView, T> read)
    {
        lock (_gate)
        {
            return read(ViewOf(_local));
        }
    }

    /// <summary>All that a pass works with; null before the first plan. A wish to sweep is taken with it.</summary>
    public PassInput? Take()
    {
        lock (_gate)
        {
            // Before the first plan nobody knows what is right; what an earlier daemon built goes on as it is.
            if (_plan is null)
            {
                return null;
            }

            var input = new PassInput(ViewOf(_local), _local, _delta, _number) { Sweep = _sweep, Leaving = _leaving };
            _sweep = false;
            return input;
        }
    }

    /// <summary>The pass of this input failed; what it was to do once is still to be done.</summary>
    public void GiveBack(PassInput input)
    {
        lock (_gate)
        {
            _sweep |= input.Sweep;
        }
    }

    /// <summary>What the kernel must hold was computed from this plan: changes are told from here on.</summary>
    public void Computed(NodePlan plan)
    {
        lock (_gate)
        {
            _computed = plan;
        }
    }

    /// <summary>Notes a change of wishes and asks for a pass. Null when nothing changed.</summary>
    private long? Change(Func<LocalState, LocalState> change, Action? also = null)
    {
        lock (_gate)
        {
            var next = change(_local);
            also?.Invoke();
            next = next.WithNumbers(DesiredState.Carried(ViewOf(next)).Select(n => n.Id)).WithAccess(_leaving || _plan is null ? NodePlan.Empty : _plan);
            next = _plan is null ? next : next.WithEnded(_plan);
            next = options.Classic ? next.WithMarks(Desired.Classic.ClassicState.Keys(ViewOf(next))) : next;
            if (next == _local && also is null)
            {
                return null;
            }

            if (next.CipherGeneration != _local.CipherGeneration)
            {
                // Peers hear of it without a pass.
                kept.Write(next);
            }

            TellAccess(_local, next);
            _local = next;
            _number++;
        }

        changed();
        return _number;
    }

    private void TellAccess(LocalState before, LocalState after)
    {
        if (!ReferenceEquals(before.Sandboxes, after.Sandboxes))
        {
            foreach (var (_, sandbox) in after.Sandboxes.Where(s => before.Sandboxes.TryGetValue(s.Key, out var old) && !ReferenceEquals(old.Access, s.Value.Access)))
            {
                AccessChanged(sandbox);
            }
        }
    }

    private NodeView ViewOf(LocalState local)
    {
        var facts = basis with
        {
            GatewaySubnet = System.Net.IPNetwork.Parse(local.GatewaySubnet),
            UnderlayMtu = _underlay.LinkMtu,
            PathMtus = _underlay.PathMtus,
            SpaceNumbers = local.SpaceNumbers,
            Marks = local.Marks,
            CipherGeneration = local.CipherGeneration,
            GatewaySubnet6 = local.GatewaySubnet6.Length > 0 ? System.Net.IPNetwork.Parse(local.GatewaySubnet6) : null,
        };
        var plan = _plan ?? NodePlan.Empty with { NodeId = options.NodeId };
        return new NodeView(plan, facts) { Sandboxes = local.Sandboxes, Ended = local.Ended, Health = _health, Ejected = _silent.Of(plan, _health.SilentNodes) };
    }
}
