using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Local;

namespace Skep.Network;

/// <summary>All that one pass works with, taken at one moment.</summary>
/// <param name="View">What the kernel's state follows from.</param>
/// <param name="Local">The node's choices, of which the view has a part.</param>
/// <param name="Delta">What differs in the plan from that of the pass before; null when that is not known.</param>
/// <param name="Wish">The number of the last wish that is in it.</param>
internal sealed record PassInput(NodeView View, LocalState Local, PlanDelta? Delta, long Wish)
{
    /// <summary>Whatever an earlier daemon left goes as well.</summary>
    public bool Sweep { get; init; }

    /// <summary>The node has left the swarm: nothing of ours stays.</summary>
    public bool Leaving { get; init; }
}
