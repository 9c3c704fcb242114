using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Images;
using Skep.Agent.Images.Registry;
using Skep.Model.Errors;
using Skep.Testing.Containerd;

namespace Skep.KernelTests.Agent.Images;

/// <summary>The image store over a real containerd.</summary>
public sealed class ContainerdImageStoreTests : IAsyncLifetime
{
    private ContainerdServer _containerd = null!;
    private ContainerdImageStore _images = null!;

    public async ValueTask InitializeAsync()
    {
        _containerd = await ContainerdServer.StartNewAsync(TestContext.Current.CancellationToken);
        _images = NewStore();
    }

    public async ValueTask DisposeAsync()
    {
        _images.Dispose();
        await _containerd.DisposeAsync();
    }

    [Fact]
    public async Task An_imported_image_is_found_by_every_name_that_it_has()
    {
        var image = await ImportAsync("demo:v1", "hello", "CMD [\"/hello\"]", "ENV A=1");
        Assert.Equal(["demo:v1"], image.Tags);
        Assert.StartsWith("sha256:", image.Id, StringComparison.Ordinal);
        Assert.True(image.Size > 0);
        Assert.Equal("/hello", image.Configuration.GetProperty("config").GetProperty("Cmd")[0].GetString());
        Assert.Equal("Imported from -", image.Configuration.GetProperty("comment").GetString());
        foreach (var name in new[] { "demo:v1", "docker.io/library/demo:v1", image.Id, image.Id[7..19], image.Id[..20] })
        {
            Assert.Equal(image.Id, (await _images.FindAsync(name, default))?.Id);
        }
        Assert.Null(await _images.FindAsync("demo", default));
        Assert.Null(await _images.FindAsync("ffffffffffff", default));
    }

    [Fact]
    public async Task Images_survive_the_garbage_collector_and_a_new_daemon()
    {
        var image = await ImportAsync("demo", "hello");
        var doomed = await ImportAsync("doomed", "other");
        // Removing waits for a collection, which must not touch what is still named.
        await _images.RemoveAsync("doomed", false, new HashSet<string>(), default);
        Assert.Null(await _images.FindAsync(doomed.Id, default));
        _images.Dispose();
        await _containerd.KillAsync();
        await _containerd.StartAsync(default);
        _images = NewStore();
        var found = Assert.Single(await _images.ListAsync(default));
        Assert.Equal(image.Id, found.Id);
        Assert.Equal(image.Size, found.Size);
        Assert.Equal(image.ChainId, found.ChainId);
        await _images.SaveAsync(["demo"], Stream.Null, default);
    }

    [Fact]
    public async Task A_saved_image_loads_as_the_same_image()
    {
        var image = await ImportAsync("demo:v1", "hello");
        await _images.TagAsync("demo:v1", "127.0.0.1:5000/demo:v2", default);
        using var archive = new MemoryStream();
        await _images.SaveAsync(["demo:v1", "127.0.0.1:5000/demo"], archive, default);
        await _images.RemoveAsync(image.Id, true, new HashSet<string>(), default);
        Assert.Empty(await _images.ListAsync(default));

        archive.Position = 0;
        Assert.Equal(["127.0.0.1:5000/demo:v2", "demo:v1"], (await _images.LoadAsync(archive, null, default)).Order());
        var loaded = Assert.Single(await _images.ListAsync(default));
        Assert.Equal(image.Id, loaded.Id);
        Assert.Equal(image.ChainId, loaded.ChainId);
        Assert.Equal(["127.0.0.1:5000/demo:v2", "demo:v1"], loaded.Tags.Order());
    }

    [Fact]
    public async Task A_tag_that_moves_leaves_the_old_image_without_a_name()
    {
        var before = await ImportAsync("demo", "one");
        var after = await ImportAsync("demo", "two");
        Assert.NotEqual(before.Id, after.Id);
        Assert.Equal(after.Id, (await _images.FindAsync("demo", default))?.Id);
        Assert.Empty((await _images.FindAsync(before.Id, default))!.Tags);
        var removed = await _images.RemoveAsync(before.Id, false, new HashSet<string>(), default);
        Assert.Equal(new ImageRemoval(null, before.Id), removed[0]);
        Assert.Null(await _images.FindAsync(before.Id, default));
    }

    [Fact]
    public async Task Removal_follows_dockers_rules()
    {
        var image = await ImportAsync("demo:1", "hello");
        await _images.TagAsync("demo:1", "demo:2", default);
        await _images.TagAsync("demo:1", "other/demo", default);
        Assert.Equal([new ImageRemoval("demo:1", null)], await _images.RemoveAsync("demo:1", false, new HashSet<string>(), default));

        var several = await Assert.ThrowsAsync<ClusterException>(() => _images.RemoveAsync(image.Id, false, new HashSet<string>(), default));
        Assert.Equal($"conflict: unable to delete {image.Id[7..19]} (must be forced) - image is referenced in multiple repositories", several.Message);
        await _images.RemoveAsync("other/demo", false, new HashSet<string>(), default);

        ImageUse[] running = [new ImageUse(image.Id, new string('c', 64), Running: true)];
        var used = await Assert.ThrowsAsync<ClusterException>(() => _images.RemoveAsync("demo:2", false, running, default));
        Assert.Equal(ErrorKind.Conflict, used.Kind);
        Assert.Equal(
            $"conflict: unable to remove repository reference \"demo:2\" (must force) - container cccccccccccc is using its referenced image {image.Id[7..19]}",
            used.Message);
        var byId = await Assert.ThrowsAsync<ClusterException>(() => _images.RemoveAsync(image.Id, true, running, default));
        Assert.Equal(
            $"conflict: unable to delete {image.Id[7..19]} (cannot be forced) - image is being used by running container cccccccccccc", byId.Message);

        Assert.Equal([new ImageRemoval("demo:2", null)], await _images.RemoveAsync("demo:2", true, running, default));
        Assert.Empty((await _images.FindAsync(image.Id, default))!.Tags);
        var gone = await Assert.ThrowsAsync<ClusterException>(() => _images.RemoveAsync("demo:2", false, new HashSet<string>(), default));
        Assert.Equal("No such image: demo:2", gone.Message);
    }

    [Fact]
    public async Task What_is_no_archive_is_refused_and_leaves_nothing()
    {
        using var noise = new MemoryStream([.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 7))]);
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _images.LoadAsync(noise, null, default));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        using var empty = new MemoryStream(TarFiles.Of(("readme", "x")));
        Assert.Equal(
            "the archive has neither manifest.json nor index.json; it is no image archive",
            (await Assert.ThrowsAsync<ClusterException>(() => _images.LoadAsync(empty, null, default))).Message);
        Assert.Empty(await _images.ListAsync(default));
    }

    private ContainerdImageStore NewStore() =>
        new(_containerd.Channel, new RegistryOptions(), TimeProvider.System, NullLogger<ContainerdImageStore>.Instance);

    private async Task<LocalImage> ImportAsync(string name, string content, params string[] changes)
    {
        using var rootFileSystem = new MemoryStream(TarFiles.Of(("hello", content)));
        return await _images.ImportAsync(rootFileSystem, name, changes, null, default);
    }
}
