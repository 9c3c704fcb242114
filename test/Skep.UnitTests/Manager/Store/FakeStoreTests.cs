using Skep.Manager.Store;
using Skep.Testing.Store;

namespace Skep.UnitTests.Manager.Store;

public sealed class FakeStoreTests : StoreContract
{
    private readonly FakeClusterStore _store = new();

    protected override IClusterStore Store => _store;

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override void LoseLeadership() => _store.IsLeader = false;
}
